/* A small libcuda.so.1 with two GPUs, which can be named and nothing else. */
#include <stdio.h>
#include <stdlib.h>

enum { OK = 0, NO_DEVICE = 100, INVALID_DEVICE = 101, GPUS = 2 };

int cuInit(unsigned flags) { return flags || getenv("CUDA_STANDIN_IS_BROKEN") ? NO_DEVICE : OK; }

int cuDeviceGet(int *device, int number) {
    *device = number;
    return number < GPUS ? OK : INVALID_DEVICE;
}

int cuDeviceGetName(char *text, int size, int device) {
    snprintf(text, (size_t)size, "Stand-in %d", device);
    return device < GPUS ? OK : INVALID_DEVICE;
}
