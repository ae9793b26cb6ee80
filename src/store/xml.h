/* A reader for the XML that S3 answers with, and for no more: elements and text.
 *
 * Attributes and comments are read over, the prefix of a namespace is dropped. A document type is
 * refused, so there are no entities but the five of XML and those by number. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct XmlNode XmlNode;
struct XmlNode {
    const char *name;
    const char *text; /* of this element itself, "" when there is none */
    XmlNode *first;   /* child */
    XmlNode *next;    /* sibling */
};

#define XML_DEPTH_MAX 32

/* The root element, in the arena. ERR_FAILED for what is not well formed, holds a NUL byte, a
 * document type, or elements more than XML_DEPTH_MAX deep. */
bool xml_parse(Arena *arena, const char *text, size_t length, XmlNode **root,
               Error *err) MUST_CHECK;
/* The first child of that name; NULL when there is none, or node is NULL. */
const XmlNode *xml_child(const XmlNode *node, const char *name);
/* The next sibling of the same name. */
const XmlNode *xml_next(const XmlNode *node);
/* The text of the first child of that name, "" when there is none. */
const char *xml_text(const XmlNode *node, const char *name);
