import { asUserError, openToRead, readInto } from '../base/files.ts';
import { checkedHeader, failOf, headerLength, tensorDataOf } from '../formats/safetensors.ts';
import type { StoredTensor } from '../formats/safetensors.ts';
import { unseal } from '../formats/sealed.ts';
import type { SafetensorsFile } from '../formats/sealed.ts';
import type { Safetensors } from '../formats/safetensors.ts';

/** Reads and checks a file of any size, each tensor into an array of its own. `UserError` for a file that is damaged. */
export async function readSafetensorsFile(file: string): Promise<SafetensorsFile> {
  const fail = failOf(file);
  const handle = await openToRead(file);
  const fill = async (bytes: Uint8Array): Promise<void> => {
    if ((await readInto(handle, bytes)) < bytes.length) fail('it became shorter while it was read');
  };
  try {
    const { size } = await handle.stat();
    const prefix = new Uint8Array(Math.min(8, size));
    await fill(prefix);
    const head = new Uint8Array(8 + headerLength(prefix, size, fail));
    head.set(prefix);
    await fill(head.subarray(8));
    const { metadata, places } = checkedHeader(head.subarray(8), size - head.length, fail);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, from, to } of places) {
      const bytes = new Uint8Array(to - from);
      await fill(bytes);
      tensors.set(name, { dtype, shape, data: tensorDataOf(dtype, bytes) });
    }
    return { tensors, metadata, head };
  } catch (error) {
    throw asUserError(error, file, 'read');
  } finally {
    await handle.close();
  }
}

/** Reads a sealed file of any size. `UserError` for a file whose content differs from its seal. */
export async function readSealed(file: string): Promise<Safetensors> {
  return unseal(await readSafetensorsFile(file), file);
}
