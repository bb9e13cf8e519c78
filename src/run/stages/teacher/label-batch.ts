/** Samples in a call of the teacher on a CPU: the fastest number on two cores; more only needs more memory. */
const ON_CPU = 100;
const ON_DEVICE = 1024;
/** Maximum bytes of a batch of samples, as float32. */
const MOST_BYTES = 2 ** 28;

/** Messages of ONNX Runtime, its providers and libtensorflow when memory is short. */
const SHORT_OF_MEMORY = /out of memory|failed to allocate|bad_alloc|\bOOM\b|RESOURCE_EXHAUSTED|not enough memory/i;

/** True for an engine's error about too little memory. */
export function isShortOfMemory(error: unknown): boolean {
  return SHORT_OF_MEMORY.test(error instanceof Error ? error.message : String(error));
}

/** Number of samples in a call of the teacher: large on a graphics card, halved as long as memory is too small. */
export class LabelBatch {
  #size: number;

  /** `sampleSize`: elements of a sample. `wanted`: the batch size in the recipe. */
  constructor(device: string, sampleSize: number, wanted?: number) {
    const fitting = Math.max(1, Math.floor(MOST_BYTES / (4 * sampleSize)));
    this.#size = wanted ?? Math.min(device === 'cpu' ? ON_CPU : ON_DEVICE, fitting);
  }

  get size(): number {
    return this.#size;
  }

  /** Calls `question` with the current size; if memory is too small, with half of it, down to one sample. Other errors are passed on. */
  async ask(question: (size: number) => Promise<void>, onHalved: (size: number) => void): Promise<void> {
    for (;;) {
      try {
        await question(this.#size);
        return;
      } catch (error) {
        if (this.#size === 1 || !isShortOfMemory(error)) throw error;
      }
      this.#size = Math.ceil(this.#size / 2);
      onHalved(this.#size);
    }
  }
}
