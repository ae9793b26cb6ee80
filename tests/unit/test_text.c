#include "unit.h"

#include "cli/roff.h"
#include "cli/text.h"

static void assert_block(const char **text, const char *wanted, bool verbatim, bool apart)
{
    TextBlock block;
    assert_true(text_next_block(text, &block));
    assert_int_equal(block.length, strlen(wanted));
    assert_memory_equal(block.start, wanted, block.length);
    assert_int_equal(block.verbatim, verbatim);
    assert_int_equal(block.apart, apart);
}

static void a_text_is_paragraphs_and_lines_as_they_stand(UNUSED void **state)
{
    TextBlock block;
    const char *text = "First\nline.\n\nSecond:\n  vaxdb a\n  vaxdb b\nThird.\n";
    assert_block(&text, "First\nline.", false, false);
    assert_block(&text, "Second:", false, true);
    assert_block(&text, "vaxdb a", true, false);
    assert_block(&text, "vaxdb b", true, false);
    assert_block(&text, "Third.", false, false);
    assert_false(text_next_block(&text, &block));
    text = "";
    assert_false(text_next_block(&text, &block));
}

static void an_example_is_a_command_and_what_it_does(UNUSED void **state)
{
    TextExample example;
    const char *text = "vaxdb a  b     both\nvaxdb c";
    assert_true(text_next_example(&text, &example));
    assert_int_equal(example.command_length, strlen("vaxdb a  b"));
    assert_int_equal(example.what_length, strlen("both"));
    assert_memory_equal(example.what, "both", 4);
    assert_true(text_next_example(&text, &example));
    assert_int_equal(example.command_length, strlen("vaxdb c"));
    assert_int_equal(example.what_length, 0);
    assert_false(text_next_example(&text, &example));
}

/* What a call of roff.h writes; freed by the caller. */
static char *written(void (*write)(Roff *roff, const char *text), const char *text)
{
    char *page = NULL;
    size_t length = 0;
    Roff roff = {.out = open_memstream(&page, &length)};
    assert_non_null(roff.out);
    write(&roff, text);
    assert_int_equal(fclose(roff.out), 0);
    return page;
}

static void write_sentence(Roff *roff, const char *text)
{
    roff_sentence(roff, text, strlen(text));
}

static void assert_written(void (*write)(Roff *roff, const char *text), const char *text,
                           const char *wanted)
{
    _cleanup_free_ char *page = written(write, text);
    assert_string_equal(page, wanted);
}

static void what_roff_would_read_as_its_own_is_escaped(UNUSED void **state)
{
    assert_written(roff_text, ".sql of 'a'", ".PP\n\\&.sql of \\(aqa\\(aq\n");
    assert_written(roff_text, "a\\b ~/^", ".PP\na\\eb \\(ti/\\(ha\n");
    assert_written(roff_text, "  .hidden -x\nnext",
                   ".PP\n.RS 4\n.nf\n\\&.hidden \\-x\n.fi\n.RE\n.PP\nnext\n");
    assert_written(roff_text, "`vaxdb -e x` and ` alone",
                   ".PP\n\\fBvaxdb\\ \\-e\\ x\\fR and \\(ga alone\n");
    assert_written(roff_usage, "vaxdb a [N] [FLAGS]",
                   ".br\n\\fBvaxdb\\fR \\fBa\\fR [\\fIN\\fR] [\\fIFLAGS\\fR]\n");
}

static void a_sentence_has_its_capital_and_its_full_stop(UNUSED void **state)
{
    assert_written(write_sentence, "days that", "Days that.\n");
    assert_written(write_sentence, "pg_dump makes it!", "pg_dump makes it!\n");
    assert_written(write_sentence, "", "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_paragraphs_and_lines_as_they_stand),
        cmocka_unit_test(an_example_is_a_command_and_what_it_does),
        cmocka_unit_test(what_roff_would_read_as_its_own_is_escaped),
        cmocka_unit_test(a_sentence_has_its_capital_and_its_full_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
