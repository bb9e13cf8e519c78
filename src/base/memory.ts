import { freemem } from 'node:os';

/** Bytes that this process can still take: what the machine has free, or less where a container limits it. */
export function freeMemory(): number {
  // Node 20.13 and later.
  const { availableMemory } = process as { readonly availableMemory?: () => number };
  return availableMemory?.() ?? freemem();
}

/** E.g. `7.6 GB`, `320 MB`. */
export function memoryText(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
