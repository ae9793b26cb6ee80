#include "cli/roff.h"

#include "cli/text.h"

#include <ctype.h>
#include <string.h>

static void put_char(FILE *out, char c)
{
    switch (c) {
    case '\\':
        (void)fputs("\\e", out);
        break;
    case '-':
        (void)fputs("\\-", out);
        break;
    case '\'':
        (void)fputs("\\(aq", out);
        break;
    case '`':
        (void)fputs("\\(ga", out);
        break;
    case '^':
        (void)fputs("\\(ha", out);
        break;
    case '~':
        (void)fputs("\\(ti", out);
        break;
    case '"':
        (void)fputs("\\(dq", out);
        break;
    default:
        (void)fputc(c, out);
    }
}

/* Escaped, in one line: a break in it is a space. A dot that begins a line would be a request. */
static void put_text(FILE *out, const char *text, size_t length)
{
    if (length > 0 && *text == '.')
        (void)fputs("\\&", out);
    for (size_t i = 0; i < length; i++)
        put_char(out, text[i] == '\n' ? ' ' : text[i]);
}

/* What is to be typed: not broken at its spaces. */
static void put_bold(FILE *out, const char *text, size_t length)
{
    (void)fputs("\\fB", out);
    for (const char *end = text + length; text < end; text++) {
        if (*text == ' ' || *text == '\n')
            (void)fputs("\\ ", out);
        else
            put_text(out, text, 1);
    }
    (void)fputs("\\fR", out);
}

/* With what stands between backquotes bold; one alone is itself. */
static void put_prose(FILE *out, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const char *open = memchr(text, '`', (size_t)(end - text));
        const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;
        if (!close) {
            put_text(out, text, (size_t)(end - text));
            return;
        }
        put_text(out, text, (size_t)(open - text));
        put_bold(out, open + 1, (size_t)(close - open - 1));
        text = close + 1;
    }
}

/* Names of arguments, in capitals, in italics; brackets and commas plain; the rest bold. */
static void put_usage(FILE *out, const char *usage)
{
    while (*usage) {
        size_t length = strspn(usage, "[]|., ");
        put_text(out, usage, length);
        usage += length;
        length = strcspn(usage, "[]|., ");
        if (length == 0)
            continue;
        if (isupper((unsigned char)usage[0]) || isdigit((unsigned char)usage[0])) {
            (void)fputs("\\fI", out);
            put_text(out, usage, length);
            (void)fputs("\\fR", out);
        } else {
            put_bold(out, usage, length);
        }
        usage += length;
    }
}

void roff_title(Roff *roff, const char *page, int section)
{
    (void)fputs(".\\\" Made by `vaxdb manual` from the tables of commands and settings.\n.TH ",
                roff->out);
    for (const char *c = page; *c; c++)
        put_char(roff->out, (char)toupper((unsigned char)*c));
    (void)fprintf(roff->out, " %d \"\" \"vaxdb %s\" \"vaxdb\"\n", section, VAXDB_VERSION);
    /* Ragged, and no word broken: commands and names must stay whole. */
    (void)fputs(".nh\n.ad l\n", roff->out);
}

void roff_name(Roff *roff, const char *name, const char *summary)
{
    roff_section(roff, "NAME");
    put_text(roff->out, name, strlen(name));
    (void)fputs(" \\- ", roff->out);
    put_text(roff->out, summary, strlen(summary));
    (void)fputc('\n', roff->out);
}

void roff_section(Roff *roff, const char *title)
{
    (void)fprintf(roff->out, ".SH ");
    put_text(roff->out, title, strlen(title));
    (void)fputc('\n', roff->out);
    roff->fresh = true;
}

void roff_subsection(Roff *roff, const char *title)
{
    (void)fprintf(roff->out, ".SS ");
    put_text(roff->out, title, strlen(title));
    (void)fputc('\n', roff->out);
    roff->fresh = true;
}

void roff_paragraph_start(Roff *roff)
{
    if (!roff->fresh)
        (void)fputs(".PP\n", roff->out);
    roff->fresh = false;
}

void roff_break(Roff *roff)
{
    (void)fputs(".br\n", roff->out);
}

static void start_verbatim(Roff *roff)
{
    roff_paragraph_start(roff);
    (void)fputs(".RS 4\n.nf\n", roff->out);
}

/* A paragraph, filled. `backquotes` become bold. */
static void put_paragraph(Roff *roff, const char *text, size_t length)
{
    roff_paragraph_start(roff);
    put_prose(roff->out, text, length);
    (void)fputc('\n', roff->out);
}

void roff_text(Roff *roff, const char *text)
{
    TextBlock block;
    bool verbatim = false;
    while (text_next_block(&text, &block)) {
        if (block.verbatim && !verbatim)
            start_verbatim(roff);
        else if (!block.verbatim && verbatim)
            (void)fputs(".fi\n.RE\n", roff->out);
        verbatim = block.verbatim;
        if (verbatim) {
            put_text(roff->out, block.start, block.length);
            (void)fputc('\n', roff->out);
        } else {
            put_paragraph(roff, block.start, block.length);
        }
    }
    if (verbatim)
        (void)fputs(".fi\n.RE\n", roff->out);
}

void roff_usage(Roff *roff, const char *usage)
{
    if (!roff->fresh)
        roff_break(roff);
    roff->fresh = false;
    put_usage(roff->out, usage);
    (void)fputc('\n', roff->out);
}

void roff_item(Roff *roff, const char *term)
{
    (void)fputs(".TP\n", roff->out);
    roff->fresh = false;
    put_usage(roff->out, term + strspn(term, " "));
    (void)fputc('\n', roff->out);
}

void roff_item_typed(Roff *roff, const char *term, size_t length)
{
    (void)fputs(".TP\n", roff->out);
    roff->fresh = false;
    put_bold(roff->out, term, length);
    (void)fputc('\n', roff->out);
}

void roff_sentence(Roff *roff, const char *text, size_t length)
{
    size_t word = 0;
    while (word < length && (isalpha((unsigned char)text[word]) || text[word] == '\''))
        word++;
    /* Only a plain word gets a capital: not a name such as pg_dump or retention_days. */
    bool plain = word > 0 && (word == length || strchr(" ,:;-", text[word]));
    if (plain) {
        char first = (char)toupper((unsigned char)text[0]);
        put_text(roff->out, &first, 1);
        put_prose(roff->out, text + 1, length - 1);
    } else {
        put_prose(roff->out, text, length);
    }
    roff->fresh = false;
    if (length > 0 && !strchr(".!?", text[length - 1]))
        (void)fputc('.', roff->out);
    (void)fputc('\n', roff->out);
}

void roff_reference(Roff *roff, const char *before, const char *page, const char *after)
{
    size_t name = strcspn(page, "(");
    put_text(roff->out, before, strlen(before));
    put_bold(roff->out, page, name);
    put_text(roff->out, page + name, strlen(page + name));
    put_text(roff->out, after, strlen(after));
    (void)fputc('\n', roff->out);
}
