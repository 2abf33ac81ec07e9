/* A small libnvidia-ml.so.1 that plays a scenario, so that the real bindings can be tested.
 *
 * The scenario is the text file named by $NVML_SCENARIO, read anew at every nvmlInit. A line is a
 * word and its values; all but `driver` speak of the GPU named last.
 *
 *   driver VERSION        "missing": nvmlInit fails as it does without a driver
 *   gpu UUID BYTES        the next GPU in NVML's own order, with so much in use at first
 *   mig UUID BYTES        a part of one, which only its UUID finds; it has no energy counter
 *   grow BYTES MOST       each question for memory finds so much more in use, up to MOST more
 *   process PID BYTES     a process; PID may be "asker" or "parent" (of the asker), BYTES may be
 *                         "unknown" or "grown" (as much as the memory has grown)
 *   energy STEP           each question finds the counter so many millijoules further
 *   lost AFTER            the GPU is lost after so many questions for memory
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NO_DRIVER = 9, LOST = 15 };
enum { MOST = 8, TEXT = 96 };
#define UNKNOWN (~0ULL)
#define GROWN (~0ULL - 1)

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } memory_t;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } process_t;
typedef struct {
    char uuid[TEXT];
    int mig, counts_energy;
    u64 baseline, growth, most_growth, energy_step, lost_after, asked, millijoules;
    process_t processes[MOST];
    unsigned running;
} gpu_t;

static gpu_t gpus[MOST];
static unsigned gpu_count;
static char driver[TEXT];

static u64 number(const char *text) {
    if (!strcmp(text, "unknown")) return UNKNOWN;
    if (!strcmp(text, "grown")) return GROWN;
    return strtoull(text, NULL, 10);
}

static unsigned pid_of(const char *text) {
    if (!strcmp(text, "asker")) return (unsigned)getpid();
    if (!strcmp(text, "parent")) return (unsigned)getppid();
    return (unsigned)number(text);
}

static void add_gpu(int mig, const char *uuid, u64 baseline) {
    gpu_t *gpu = &gpus[gpu_count++];
    memset(gpu, 0, sizeof *gpu);
    snprintf(gpu->uuid, TEXT, "%s", uuid);
    gpu->mig = mig;
    gpu->baseline = baseline;
}

static void play(const char *word, const char *first, const char *second) {
    gpu_t *gpu = gpu_count ? &gpus[gpu_count - 1] : NULL;
    if (!strcmp(word, "driver")) snprintf(driver, TEXT, "%s", first);
    else if (!strcmp(word, "gpu") && gpu_count < MOST) add_gpu(0, first, number(second));
    else if (!strcmp(word, "mig") && gpu_count < MOST) add_gpu(1, first, number(second));
    else if (!gpu) return;
    else if (!strcmp(word, "lost")) gpu->lost_after = number(first);
    else if (!strcmp(word, "energy")) { gpu->energy_step = number(first); gpu->counts_energy = 1; }
    else if (!strcmp(word, "grow")) { gpu->growth = number(first); gpu->most_growth = number(second); }
    else if (!strcmp(word, "process") && gpu->running < MOST) {
        process_t *process = &gpu->processes[gpu->running++];
        process->pid = pid_of(first);
        process->used = number(second);
    }
}

int nvmlInitWithFlags(unsigned flags) {
    static int ready;
    char line[256], word[32], first[TEXT], second[TEXT];
    const char *path = getenv("NVML_SCENARIO");
    FILE *file = path ? fopen(path, "r") : NULL;
    (void)flags;
    if (!file) return NO_DRIVER;
    while (!ready && fgets(line, sizeof line, file)) {
        first[0] = second[0] = 0;
        if (sscanf(line, "%31s %95s %95s", word, first, second) >= 2) play(word, first, second);
    }
    fclose(file);
    ready = 1;
    return strcmp(driver, "missing") ? OK : NO_DRIVER;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }

const char *nvmlErrorString(int error) {
    switch (error) {
        case UNSUPPORTED: return "Not Supported";
        case NOT_FOUND: return "Not Found";
        case NO_DRIVER: return "Driver Not Loaded";
        case LOST: return "GPU is lost";
        default: return "Error";
    }
}

int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    snprintf(text, size, "%s", driver);
    return OK;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = 0;
    for (unsigned i = 0; i < gpu_count; i++) *count += !gpus[i].mig;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu_t **handle) {
    for (unsigned i = 0; i < gpu_count; i++)
        if (!gpus[i].mig && index-- == 0) { *handle = &gpus[i]; return OK; }
    return INVALID;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, gpu_t **handle) {
    for (unsigned i = 0; i < gpu_count; i++)
        if (!strcmp(gpus[i].uuid, uuid)) { *handle = &gpus[i]; return OK; }
    return NOT_FOUND;
}

int nvmlDeviceGetUUID(gpu_t *gpu, char *text, unsigned size) {
    snprintf(text, size, "%s", gpu->uuid);
    return OK;
}

int nvmlDeviceGetName(gpu_t *gpu, char *text, unsigned size) {
    snprintf(text, size, "Stand-in %s", gpu->uuid);
    return OK;
}

static u64 grown(const gpu_t *gpu) {
    u64 more = gpu->growth * gpu->asked;
    return more < gpu->most_growth ? more : gpu->most_growth;
}

static int lost(const gpu_t *gpu) { return gpu->lost_after && gpu->asked >= gpu->lost_after; }

int nvmlDeviceGetMemoryInfo(gpu_t *gpu, memory_t *memory) {
    if (lost(gpu)) return LOST;
    memory->total = 80000000000ULL;
    memory->used = gpu->baseline + grown(gpu);
    memory->free = memory->total - memory->used;
    gpu->asked++;
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(gpu_t *gpu, unsigned *count, process_t *found) {
    unsigned room = *count;
    if (lost(gpu)) return LOST;
    *count = gpu->running;
    if (room < gpu->running) return TOO_SMALL;
    for (unsigned i = 0; i < gpu->running; i++) {
        found[i] = gpu->processes[i];
        if (found[i].used == GROWN) found[i].used = grown(gpu);
    }
    return OK;
}

int nvmlDeviceGetTotalEnergyConsumption(gpu_t *gpu, u64 *millijoules) {
    if (!gpu->counts_energy || gpu->mig) return UNSUPPORTED;
    *millijoules = gpu->millijoules += gpu->energy_step;
    return OK;
}
