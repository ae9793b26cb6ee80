/* backup key, backup decrypt: encrypted backups. */
#include "backup/backup.h"
#include "base/file.h"
#include "cli/backup_files.h"
#include "cli/commands.h"

#include <string.h>

/* The secret goes from the random numbers into the file, and nowhere else. */
static bool run_key(Context *context, Error *err)
{
    const char *file = command_argument(context, 0);
    SealRecipient recipient;
    char *path = NULL;
    if (!path_absolute(context->arena, file, &path, err))
        return false;
    bool made = !file_exists(path);
    if (!(made ? backup_keys_write_identity(path, &recipient, err)
               : backup_keys_read_identity(path, &recipient, err)))
        return false;
    const char *text = seal_recipient_text(context->arena, &recipient);
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "file", json_text(path));
        (void)json_object_set_new(object, "recipient", json_text(text));
        (void)json_object_set_new(object, "made", json_boolean(made));
        return command_print_json(context, object, err);
    }
    (void)fprintf(context->out, "%s\n", text);
    if (made)
        log_info(context->log,
                 "The secret key is in %s. Keep a copy elsewhere, on paper too: without it nobody "
                 "ever opens what is encrypted for the key above (setting backup_recipient)",
                 path);
    return true;
}

static bool name_output(const Context *context, const char *path, const char **output, Error *err)
{
    *output = options_text(context->options, "output");
    if (*output)
        return true;
    if (!str_ends(path, SEAL_SUFFIX)) {
        (void)error_set(err, ERR_USAGE, "%s does not end in " SEAL_SUFFIX, path_basename(path));
        return error_hint(err, "name the file to write with -o");
    }
    *output = arena_strndup(context->arena, path, strlen(path) - strlen(SEAL_SUFFIX));
    return true;
}

static bool run_decrypt(Context *context, Error *err)
{
    const char *path = NULL;
    const char *output = NULL;
    DecryptResult result;
    if (!backup_files_find(context, command_argument(context, 0), &path, err) ||
        !name_output(context, path, &output, err))
        return false;
    if (context->json && str_equal(output, "-"))
        return error_set(err, ERR_USAGE, "--json and -o - both want standard output");
    if (!backup_decrypt(context->arena, context->log, path,
                        backup_files_keys(context, context->env), output, &result, err))
        return false;
    if (context->json) {
        json_t *object = json_object();
        (void)json_object_set_new(object, "file", json_text(output));
        (void)json_object_set_new(object, "bytes", json_integer(result.packed_bytes));
        (void)json_object_set_new(object, "raw_bytes", json_integer(result.raw_bytes));
        (void)json_object_set_new(object, "sha256", json_text(result.sha256));
        return command_print_json(context, object, err);
    }
    if (!str_equal(output, "-"))
        (void)fprintf(context->out, "%s\n", output);
    return true;
}

/* clang-format off */
static const OptionSpec decrypt_options[] = {
    OPTION_BACKUP_DIR,
    {.name = "output", .letter = 'o', .kind = OPTION_TEXT, .argument = "FILE",
     .help = "where it goes, - for standard output; without it the name without .enc"},
    OPTION_END,
};

const Command cli_backup_seal_commands[] = {
    {.name = "backup key", .synopsis = "FILE", .summary = "make a key pair for encrypted backups",
     .details = "Writes the secret key (the identity) into FILE, which only its owner may read, and\n"
                "prints the public one (the recipient): the setting backup_recipient, or --encrypt\n"
                "of `backup create`. The machine that makes backups needs the public one only; the\n"
                "setting backup_identity names FILE where backups are opened. Of a FILE that is\n"
                "there it prints the public key.\n"
                "\n"
                "To change keys, name the new recipient in the place of the old one: from then on\n"
                "backups have another data key, the first is sent whole, and the old key opens none\n"
                "of them. Keep it as long as what it opens; FILE may hold several, a line each.",
     .example = "vaxdb backup key ~/backup.key           on a machine that makes no backups",
     .min_arguments = 1, .max_arguments = 1, .run = run_key},
    {.name = "backup decrypt", .synopsis = "[FILE]", .summary = "write the plain .sql.gz of an encrypted backup",
     .details = "FILE is a path, the name of a backup, or newest (the default). What is written is,\n"
                "byte for byte, what would have been made without encryption, and `gunzip -c | psql`\n"
                "restores it; it stands under its name only when all of it was right. To restore,\n"
                "verify or drill nothing need be decrypted before.\n"
                "\n"
                "The key is the setting backup_identity, or the passphrase: of the setting\n"
                "backup_passphrase_file, of VAXDB_BACKUP_PASSPHRASE, or typed.",
     .example = "vaxdb backup decrypt newest -o - | gunzip | psql -d copy   without a file between",
     .options = decrypt_options, .max_arguments = 1, .run = run_decrypt},
    COMMAND_END,
};
/* clang-format on */
