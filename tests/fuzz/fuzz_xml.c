#include "fuzz.h"

#include "base/str.h"
#include "store/xml.h"

#include <assert.h>

static void walk(const XmlNode *node, int depth)
{
    assert(depth <= XML_DEPTH_MAX + 1); /* a leaf "<a/>" may stand below the deepest */
    assert(*node->name && node->text);
    for (const XmlNode *child = node->first; child; child = child->next) {
        assert(xml_child(node, child->name) != NULL);
        walk(child, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ Arena *arena = arena_create();
    XmlNode *root = NULL;
    Error err = {0};
    if (!xml_parse(arena, (const char *)data, size, &root, &err)) {
        assert(err.code == ERR_FAILED && str_starts(err.message, "XML, byte "));
        return 0;
    }
    walk(root, 1);
    return 0;
}
