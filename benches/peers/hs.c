// Hyperscan's literal API over a whole buffer: CPU seconds, and lines with a match.
// usage: hs SIGNATURES LOG
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct state { const char *text; size_t size, line_end, lines; };

static char *slurp(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(2); }
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (fread(text, 1, *size, file) != *size) { perror(path); exit(2); }
    text[*size] = 0;
    fclose(file);
    return text;
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

// Every match is reported; the end of its line is looked for once a line, as the other engines do.
static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
    (void)id; (void)from; (void)flags;
    struct state *s = context;
    if (to <= s->line_end) return 0;
    const char *end = memchr(s->text + to, '\n', s->size - to);
    s->line_end = end ? (size_t)(end - s->text) : s->size;
    s->lines++;
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    size_t sigs_size, size, count = 0, room = 1024;
    char *sigs = slurp(argv[1], &sigs_size), *text = slurp(argv[2], &size);
    const char **list = malloc(room * sizeof *list);
    size_t *lengths = malloc(room * sizeof *lengths);
    for (char *line = strtok(sigs, "\n"); line; line = strtok(NULL, "\n")) {
        if (count == room) {
            room *= 2;
            list = realloc(list, room * sizeof *list);
            lengths = realloc(lengths, room * sizeof *lengths);
        }
        list[count] = line;
        lengths[count++] = strlen(line);
    }
    unsigned *flags = malloc(count * sizeof *flags), *ids = malloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++) { flags[i] = HS_FLAG_CASELESS; ids[i] = i; }
    hs_database_t *db;
    hs_compile_error_t *error;
    double start = cpu();
    if (hs_compile_lit_multi(list, flags, ids, lengths, count, HS_MODE_BLOCK, NULL, &db, &error) != HS_SUCCESS) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    double compiled = cpu();
    hs_scratch_t *scratch = NULL;
    hs_alloc_scratch(db, &scratch);
    struct state s = { text, size, 0, 0 };
    double begin = cpu();
    hs_scan(db, text, size, 0, scratch, found, &s);
    printf("%.6f %.6f %zu\n", cpu() - begin, compiled - start, s.lines);
    return 0;
}
