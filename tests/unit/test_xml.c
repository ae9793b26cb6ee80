#include "unit.h"

#include "store/xml.h"

static XmlNode *parse(Arena *arena, const char *text)
{
    XmlNode *root = NULL;
    Error err = {0};
    if (!xml_parse(arena, text, strlen(text), &root, &err))
        fail_msg("%s: %s", text, err.message);
    return root;
}

static void refused(const char *text, size_t length, const char *reason)
{
    _cleanup_arena_ Arena *arena = arena_create();
    XmlNode *root = NULL;
    Error err = {0};
    if (xml_parse(arena, text, length, &root, &err))
        fail_msg("was read: %s", text);
    assert_int_equal(err.code, ERR_FAILED);
    if (!strstr(err.message, reason))
        fail_msg("%s: %s, not %s", text, err.message, reason);
}

static void a_listing(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    const XmlNode *root =
        parse(arena, " \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
                     "<IsTruncated>false</IsTruncated><!-- <Contents/> -->"
                     "<Contents><Key>a&amp;b</Key><Size>1</Size></Contents>\n"
                     "<Contents><Key>c</Key><Size>22</Size></Contents>"
                     "</ListBucketResult>\n");
    assert_string_equal(root->name, "ListBucketResult");
    assert_string_equal(xml_text(root, "IsTruncated"), "false");
    assert_string_equal(xml_text(root, "Name"), "");
    const XmlNode *first = xml_child(root, "Contents");
    const XmlNode *second = xml_next(first);
    assert_string_equal(xml_text(first, "Key"), "a&b");
    assert_string_equal(xml_text(second, "Size"), "22");
    assert_null(xml_next(second));
    assert_null(xml_child(NULL, "Key"));
}

static void text_of_every_kind(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    assert_string_equal(parse(arena, "<a>1<b/>2</a>")->text, "12");
    assert_string_equal(parse(arena, "<a>&lt;&gt;&amp;&quot;&apos;</a>")->text, "<>&\"'");
    assert_string_equal(parse(arena, "<a>&#65;&#x20aC;&#x1F600;&#xE9;</a>")->text, "A€😀é");
    assert_string_equal(parse(arena, "<a><![CDATA[<b>&amp;]]></a>")->text, "<b>&amp;");
    assert_string_equal(parse(arena, "<x:a y:z = '>' q=\"'/>\" ><x:b >t</x:b ></x:a>")->name, "a");
    assert_string_equal(parse(arena, "\xEF\xBB\xBF<a/>")->name, "a");
}

static void what_is_wrong(UNUSED void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "there is no element"},
        {"   ", "there is no element"},
        {"text", "text outside"},
        {"<a>", "the end is missing"},
        {"<a></b>", "did not begin"},
        {"</a>", "did not begin"},
        {"<a/><b/>", "a second root"},
        {"<a/>x", "text outside"},
        {"<a", "a name"},
        {"<a b>", "without a value"},
        {"<a b=c>", "without quotes"},
        {"<a b='c>", "does not end"},
        {"<>", "a name"},
        {"<a>&nbsp;</a>", "entity"},
        {"<a>& </a>", "begins nothing"},
        {"<a>&#0;</a>", "number"},
        {"<a>&#xD800;</a>", "number"},
        {"<a>&#x110000;</a>", "number"},
        {"<a>&#;</a>", "number"},
        {"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "document type"},
        {"<a><![CDATA[x</a>", "CDATA"},
        {"<!-- <a/>", "comment"},
        {"<?xml", "instruction"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        refused(cases[i].text, strlen(cases[i].text), cases[i].reason);
    refused("<a>\0</a>", 8, "NUL");
}

static void depth_has_an_end(UNUSED void **state)
{
    static const char tag[] = "<a>";
    char deep[(XML_DEPTH_MAX + 1) * (sizeof(tag) - 1)];
    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = tag[i % (sizeof(tag) - 1)];
    refused(deep, sizeof(deep), "too deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing),
        cmocka_unit_test(text_of_every_kind),
        cmocka_unit_test(what_is_wrong),
        cmocka_unit_test(depth_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
