/* Forced into every translation unit by the build (-include): functions that overrun or lose errors
 * silently do not compile. Use buffer.h, str.h and arena.h instead. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof gets
#pragma GCC poison asctime ctime localtime gmtime tmpnam
