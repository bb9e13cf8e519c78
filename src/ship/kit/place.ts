import path from 'node:path';

/** Path in a kit of a file of the run. */
export function placeOf({ file }: { readonly file: string | null }): string {
  return `models/${path.posix.basename(file!)}`;
}
