#include "store/xml.h"

#include "base/buffer.h"
#include "base/str.h"

#include <assert.h>
#include <string.h>

static const char space[] = " \t\r\n";

typedef struct {
    Arena *arena;
    const char *start;
    const char *at; /* the text ends in a NUL, and holds no other */
    Error *err;
} Reader;

typedef struct {
    XmlNode *node;
    XmlNode **tail; /* where the next child goes */
    Buffer text;
} Open;

typedef struct {
    Open items[XML_DEPTH_MAX];
    size_t count;
} Stack;

static void cleanup_stack(Stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        buffer_free(&stack->items[i].text);
}

static bool wrong(const Reader *reader, const char *reason)
{
    return error_set(reader->err, ERR_FAILED, "XML, byte %zu: %s",
                     (size_t)(reader->at - reader->start), reason);
}

/* Past the next `end`. */
static bool skip_past(Reader *reader, const char *end, const char *reason)
{
    const char *found = strstr(reader->at, end);
    if (!found)
        return wrong(reader, reason);
    reader->at = found + strlen(end);
    return true;
}

/* A name without its prefix. */
static bool read_name(Reader *reader, const char **name)
{
    size_t length = strcspn(reader->at, " \t\r\n/><=\"'&");
    if (!length)
        return wrong(reader, "a name is missing");
    const char *whole = arena_strndup(reader->arena, reader->at, length);
    const char *colon = strrchr(whole, ':');
    *name = colon ? colon + 1 : whole;
    reader->at += length;
    return **name || wrong(reader, "a name is missing");
}

static bool append_code_point(Buffer *text, int64_t code)
{
    char bytes[4];
    size_t length = 0;
    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xC0 | (code >> 6));
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        bytes[length++] = (char)(0xE0 | (code >> 12));
        bytes[length++] = (char)(0x80 | ((code >> 6) & 0x3F));
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    } else {
        bytes[length++] = (char)(0xF0 | (code >> 18));
        bytes[length++] = (char)(0x80 | ((code >> 12) & 0x3F));
        bytes[length++] = (char)(0x80 | ((code >> 6) & 0x3F));
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    }
    return buffer_append(text, bytes, length);
}

/* digits: behind "&#", up to the ';'. */
static bool read_number(const char *digits, size_t length, int64_t *code)
{
    int base = 10;
    int64_t value = 0;
    if (length && *digits == 'x') {
        base = 16;
        digits++;
        length--;
    }
    if (!length || length > 7)
        return false;
    for (size_t i = 0; i < length; i++) {
        static const char known[] = "0123456789abcdef";
        const char *found =
            strchr(known, digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] - 'A' + 'a' : digits[i]);
        if (!found || found - known >= base)
            return false;
        value = value * base + (found - known);
    }
    *code = value;
    return value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

/* At '&'. */
static bool read_entity(Reader *reader, Buffer *text)
{
    static const struct {
        const char *name;
        char byte;
    } known[] = {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};
    int64_t code = 0;
    const char *name = reader->at + 1;
    size_t length = strcspn(name, ";<&");
    if (name[length] != ';')
        return wrong(reader, "'&' begins nothing");
    if (*name == '#') {
        if (!read_number(name + 1, length - 1, &code))
            return wrong(reader, "not the number of a character");
        reader->at = name + length + 1;
        return append_code_point(text, code) || wrong(reader, "too much text");
    }
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_starts(name, known[i].name)) {
            reader->at = name + length + 1;
            return buffer_append_char(text, known[i].byte) || wrong(reader, "too much text");
        }
    }
    return wrong(reader, "an entity that XML does not have by itself");
}

/* Behind the name of an element: attributes, then ">" or "/>". Values are only passed. */
static bool skip_attributes(Reader *reader, bool *closed)
{
    for (;;) {
        reader->at += strspn(reader->at, space);
        *closed = str_starts(reader->at, "/>");
        if (*closed || *reader->at == '>') {
            reader->at += *closed ? 2 : 1;
            return true;
        }
        const char *name = NULL;
        if (!read_name(reader, &name))
            return false;
        reader->at += strspn(reader->at, space);
        if (*reader->at != '=')
            return wrong(reader, "an attribute without a value");
        reader->at++;
        reader->at += strspn(reader->at, space);
        const char quote[2] = {*reader->at, '\0'};
        if (*quote != '"' && *quote != '\'')
            return wrong(reader, "a value without quotes");
        reader->at++;
        if (!skip_past(reader, quote, "a value does not end"))
            return false;
    }
}

static void pop(Stack *stack, Arena *arena)
{
    Open *open = &stack->items[--stack->count];
    open->node->text = arena_strndup(arena, open->text.data, open->text.length);
    buffer_free(&open->text);
}

/* At '<' of an element that begins. */
static bool begin_element(Reader *reader, Stack *stack, XmlNode **root)
{
    bool closed = false;
    XmlNode *node = arena_alloc(reader->arena, sizeof(*node));
    node->text = "";
    reader->at++;
    if (!read_name(reader, &node->name) || !skip_attributes(reader, &closed))
        return false;
    if (stack->count) {
        Open *parent = &stack->items[stack->count - 1];
        *parent->tail = node;
        parent->tail = &node->next;
    } else if (*root) {
        return wrong(reader, "a second root");
    } else {
        *root = node;
    }
    if (closed)
        return true;
    if (stack->count == XML_DEPTH_MAX)
        return wrong(reader, "elements are too deep");
    Open *open = &stack->items[stack->count++];
    *open = (Open){.node = node, .tail = &node->first};
    buffer_init(&open->text, BUFFER_MAX_FILE);
    return true;
}

/* At "</". */
static bool end_element(Reader *reader, Stack *stack)
{
    const char *name = NULL;
    reader->at += 2;
    if (!read_name(reader, &name))
        return false;
    reader->at += strspn(reader->at, space);
    if (*reader->at != '>' || !stack->count ||
        !str_equal(name, stack->items[stack->count - 1].node->name))
        return wrong(reader, "an element ends that did not begin");
    reader->at++;
    pop(stack, reader->arena);
    return true;
}

/* At '<'. */
static bool read_markup(Reader *reader, Stack *stack, XmlNode **root)
{
    static const char cdata[] = "<![CDATA[";
    if (str_starts(reader->at, "<?"))
        return skip_past(reader, "?>", "an instruction does not end");
    if (str_starts(reader->at, "<!--"))
        return skip_past(reader, "-->", "a comment does not end");
    if (str_starts(reader->at, cdata)) {
        const char *text = reader->at + strlen(cdata);
        if (!stack->count)
            return wrong(reader, "text outside of the root");
        if (!skip_past(reader, "]]>", "CDATA does not end"))
            return false;
        size_t length = (size_t)(reader->at - text) - strlen("]]>");
        return buffer_append(&stack->items[stack->count - 1].text, text, length) ||
               wrong(reader, "too much text");
    }
    if (reader->at[1] == '!')
        return wrong(reader, "a document type is not read");
    return reader->at[1] == '/' ? end_element(reader, stack) : begin_element(reader, stack, root);
}

static bool read_text(Reader *reader, Stack *stack)
{
    if (!stack->count) {
        size_t blank = strspn(reader->at, space);
        reader->at += blank;
        return blank || wrong(reader, "text outside of the root");
    }
    Buffer *text = &stack->items[stack->count - 1].text;
    if (*reader->at == '&')
        return read_entity(reader, text);
    size_t length = strcspn(reader->at, "<&");
    reader->at += length;
    return buffer_append(text, reader->at - length, length) || wrong(reader, "too much text");
}

bool xml_parse(Arena *arena, const char *text, size_t length, XmlNode **root, Error *err)
{
    _cleanup_(cleanup_stack) Stack stack = {0};
    const char *copy = arena_strndup(arena, text, length);
    Reader reader = {.arena = arena, .start = copy, .at = copy, .err = err};
    *root = NULL;
    if (strlen(copy) != length)
        return wrong(&reader, "a NUL byte");
    if (str_starts(copy, "\xEF\xBB\xBF"))
        reader.at += 3;
    while (*reader.at) {
        bool good =
            *reader.at == '<' ? read_markup(&reader, &stack, root) : read_text(&reader, &stack);
        if (!good)
            return false;
    }
    if (stack.count || !*root)
        return wrong(&reader, *root ? "the end is missing" : "there is no element");
    return true;
}

const XmlNode *xml_child(const XmlNode *node, const char *name)
{
    for (const XmlNode *child = node ? node->first : NULL; child; child = child->next) {
        if (str_equal(child->name, name))
            return child;
    }
    return NULL;
}

const XmlNode *xml_next(const XmlNode *node)
{
    for (const XmlNode *next = node->next; next; next = next->next) {
        if (str_equal(next->name, node->name))
            return next;
    }
    return NULL;
}

const char *xml_text(const XmlNode *node, const char *name)
{
    const XmlNode *child = xml_child(node, name);
    return child ? child->text : "";
}
