/** Bytes of memory of a process that reads, with its program and the tokenizers of all models; a picture of 25 million pixels takes some 300 MiB. */
export const MOST_BYTES = 640 * 2 ** 20;
/** MiB of values of JavaScript in it. */
export const MOST_HEAP = 256;
/** Milliseconds for one body or answer; the largest takes one or two seconds. */
export const PATIENCE_MS = 10_000;
/** Bodies and answers that may wait. */
export const MOST_WAITING = 1024;
