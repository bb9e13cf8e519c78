/** A member of an archive; `type`: that of a file by default. */
export interface TarEntry {
  readonly name: string;
  readonly content: Uint8Array | string;
  readonly type?: string;
}

/** Bytes of a tar archive. Long names stand in the prefix of ustar, or in members of their own of GNU or pax. */
export function tarOf(entries: readonly TarEntry[], form: 'ustar' | 'gnu' | 'pax' = 'ustar'): Buffer {
  const parts = entries.flatMap(({ name, content, type = '0' }) => {
    if (form === 'gnu' && name.length > 100)
      return [...member('././@LongLink', `${name}\0`, 'L'), ...member(name.slice(0, 100), content, type)];
    if (form === 'pax' && name.length > 100)
      return [...member('PaxHeaders/x', paxRecord('path', name), 'x'), ...member(name.slice(0, 100), content, type)];
    return member(name, content, type);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A record of pax, the content of a member of type `x`. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = rest.length + String(rest.length + 3).length;
  return `${length}${rest}`;
}

function member(name: string, content: Uint8Array | string, type: string): Buffer[] {
  const bytes = Buffer.from(content as Uint8Array);
  const head = Buffer.alloc(512);
  const at = name.length > 100 ? name.lastIndexOf('/', name.length - 2) : -1;
  head.write(name.slice(at + 1), 0);
  if (at > 0) head.write(name.slice(0, at), 345);
  head.write('0000644\0', 100);
  head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  head.fill(' ', 148, 156);
  head.write(type, 156);
  head.write('ustar\x0000', 257);
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}

/** The archive with the right checksum in every header that is recognized. */
export function withRightTarSums(bytes: Uint8Array): Uint8Array {
  const mended = Buffer.from(bytes);
  for (let at = 0; at + 512 <= mended.length; at += 512) {
    const head = mended.subarray(at, at + 512);
    if (head.toString('latin1', 257, 262) !== 'ustar') continue;
    head.fill(' ', 148, 156);
    head.write(
      `${head
        .reduce((all, byte) => all + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
  }
  return new Uint8Array(mended);
}
