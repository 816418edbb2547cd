// Hyperscan's literal API over a whole buffer: which signatures stand in which lines.
// usage: hs scan SIGNATURES LOG    prints seconds of processor time of the search and of compiling,
//                                  lines, pairs of line and signature, a sum over them, bytes
//        hs json SIGNATURES LOG    writes a JSON line for each line found: its number, the
//                                  signatures, the first match, the line
// Every match is reported (no HS_FLAG_SINGLEMATCH, which would be once a buffer, not once a line).
#include <hs/hs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 4096
struct state {
    const char *text;
    size_t size, end, lines, pairs, count;
    uint64_t sum;
    unsigned ids[MOST];
    // For JSON: where the line begins, newlines counted so far and up to where, the first match.
    int json;
    size_t start, number, counted, match_end;
    const char **list;
    const size_t *lengths;
};

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

static void put_escaped(const char *text, size_t size) {
    size_t from = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        fwrite_unlocked(text + from, 1, i - from, stdout);
        if (c < 0x20) printf("\\u%04x", c);
        else { putchar_unlocked('\\'); putchar_unlocked(c); }
        from = i + 1;
    }
    fwrite_unlocked(text + from, 1, size - from, stdout);
}

static void put_line(struct state *s) {
    if (!s->json || !s->count) return;
    const char *at = s->text + s->counted, *start = s->text + s->start;
    while ((at = memchr(at, '\n', start - at))) { s->number++; at++; }
    s->counted = s->start;
    printf("{\"line\":%zu,\"rules\":[", s->number + 1);
    for (size_t i = 0; i < s->count; i++) printf(i ? ",%u" : "%u", s->ids[i]);
    fputs_unlocked("],\"text\":\"", stdout);
    size_t length = s->lengths[s->ids[0]];
    put_escaped(s->text + s->match_end - length, length);
    fputs_unlocked("\",\"raw\":\"", stdout);
    put_escaped(start, s->end - 1 - s->start);
    fputs_unlocked("\"}\n", stdout);
}

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
    (void)from; (void)flags;
    struct state *s = context;
    if (to > s->end) {
        put_line(s);
        const char *end = memchr(s->text + to - 1, '\n', s->size - to + 1);
        s->end = end ? (size_t)(end - s->text) + 1 : s->size;
        s->lines++;
        s->count = 0;
        if (s->json) {
            const char *start = memrchr(s->text, '\n', to - 1);
            s->start = start ? (size_t)(start - s->text) + 1 : 0;
            s->match_end = to;
        }
    }
    for (size_t i = 0; i < s->count; i++) if (s->ids[i] == id) return 0;
    if (s->count < MOST) s->ids[s->count++] = id;
    s->pairs++;
    s->sum += (s->end * 0x9E3779B97F4A7C15ull) ^ id;
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    static struct state s;
    size_t sigs_size, size, count = 0, room = 1024;
    char *sigs = slurp(argv[2], &sigs_size), *text = slurp(argv[3], &size);
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
    s.text = text;
    s.size = size;
    s.json = !strcmp(argv[1], "json");
    s.list = list;
    s.lengths = lengths;
    double begin = cpu();
    hs_scan(db, text, size, 0, scratch, found, &s);
    put_line(&s);
    if (s.json) return 0;
    double end = cpu();
    size_t db_size, scratch_size;
    hs_database_size(db, &db_size);
    hs_scratch_size(scratch, &scratch_size);
    printf("%.6f %.6f %zu %zu %llu %zu\n", end - begin, compiled - start, s.lines, s.pairs,
           (unsigned long long)s.sum, db_size + scratch_size);
    return 0;
}
