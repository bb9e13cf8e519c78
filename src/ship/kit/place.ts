import path from 'node:path';

/** Where a file of a run lies in a kit. */
export function placeOf({ file }: { readonly file: string | null }): string {
  return `models/${path.posix.basename(file!)}`;
}
