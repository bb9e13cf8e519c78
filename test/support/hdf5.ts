import type { Group } from 'h5wasm';

/** Arrays by path. */
export type Hdf5Content = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>;

let made = 0;

/** An HDF5 file with these arrays, and attributes of groups by path. */
export async function hdf5(
  arrays: Hdf5Content,
  attributes: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>> = {},
): Promise<Uint8Array> {
  const { File, ready } = await import('h5wasm');
  const { FS } = await ready;
  const name = `made-${made++}.h5`;
  const file = new File(name, 'w');
  const groupOf = (path: string): Group => {
    let group: Group = file;
    for (const part of path.split('/').filter((one) => one !== ''))
      group = (group.keys().includes(part) ? group.get(part) : group.create_group(part)) as Group;
    return group;
  };
  for (const [path, { shape, values }] of Object.entries(arrays)) {
    const at = path.lastIndexOf('/');
    groupOf(path.slice(0, at)).create_dataset({
      name: path.slice(at + 1),
      data: Float32Array.from(values),
      shape: [...shape],
    });
  }
  for (const [path, entries] of Object.entries(attributes))
    for (const [key, value] of Object.entries(entries)) groupOf(path).create_attribute(key, value as string);
  file.close();
  const bytes = FS.readFile(name).slice();
  FS.unlink(name);
  return bytes;
}
