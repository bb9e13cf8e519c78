import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { UserError, shown } from '../../../base/errors.ts';
import { openToRead } from '../../../base/files.ts';
import { emptyFile } from '../../readers/source.ts';

/** A regular file in an archive. */
export interface TarMember {
  readonly name: string;
  /** Offset of its first byte in the archive. */
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
/** Bytes that are read at a time: the headers of small members lie in them too. */
const WINDOW = 2 ** 13;
/** Most bytes of a name that has a member of its own. */
const LONGEST_NAME = 2 ** 16;

/** An open tar archive. */
export class Tar {
  readonly file: string;
  /** The same for an archive that is opened twice, unless it is replaced or changed meanwhile. */
  readonly version: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  #window = Buffer.alloc(0);
  #start = 0;

  private constructor(file: string, handle: FileHandle, { size, ino, mtimeMs }: Stats) {
    this.file = file;
    this.version = [size, ino, mtimeMs].join();
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens an archive; the caller closes it. `UserError` for a file that is missing, empty or compressed. */
  static async open(file: string): Promise<Tar> {
    const handle = await openToRead(file);
    try {
      const tar = new Tar(file, handle, await handle.stat());
      if (tar.#size === 0) throw emptyFile(file);
      const [first, second] = await tar.#read(0, Math.min(2, tar.#size));
      if (first !== 0x1f || second !== 0x8b) return tar;
      throw new UserError(
        `${file}: compressed with gzip, expected a plain tar archive, of which single pictures can be read`,
        `Unpack it with \`gunzip ${file}\`: pictures are compressed already.`,
      );
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Its regular files in order (POSIX.1-2001 pax, ustar, and GNU's long names). `UserError` for a damaged or truncated archive, and for links. */
  async *members(): AsyncGenerator<TarMember, void, undefined> {
    let stated: { path?: string; size?: number } = {};
    for (let at = 0; at + BLOCK <= this.#size;) {
      const head = await this.#read(at, BLOCK);
      if (head.every((byte) => byte === 0)) return;
      const [sum, own, type] = [numberIn(head, 148, 8), numberIn(head, 124, 12), String.fromCharCode(head[156]!)];
      if (sum !== sumOf(head) || own === undefined) throw this.#damaged(at);
      const isAbout = type === 'L' || type === 'x' || type === 'g';
      const size = isAbout ? own : (stated.size ?? own);
      const offset = at + BLOCK;
      if (!(size >= 0 && offset + size <= this.#size) || (isAbout && size > LONGEST_NAME)) throw this.#damaged(at);
      const name = stated.path ?? nameIn(head);
      if (type === 'L') stated = { ...stated, path: textIn(await this.#read(offset, size), 0, size) };
      else if (type === 'x') stated = { ...stated, ...paxIn((await this.#read(offset, size)).toString('utf8')) };
      else if (type !== 'g') {
        if (type === '0' || type === '\0') yield { name, offset, size };
        else if (type !== '5')
          throw new UserError(
            `${this.file}: ${shown(name)} is a member of type ${shown(type)}, expected files and folders`,
            'Write the archive anew with files, not links to them.',
          );
        stated = {};
      }
      at = offset + BLOCK * Math.ceil(size / BLOCK);
    }
    throw this.#damaged(this.#size);
  }

  /** A copy of the bytes of a member. */
  async bytesOf({ offset, size }: TarMember): Promise<Buffer> {
    return Buffer.from(await this.#read(offset, size));
  }

  /** Bytes that are valid until the next call. */
  async #read(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#start || offset + length > this.#start + this.#window.length) {
      const bytes = Buffer.allocUnsafe(Math.min(Math.max(WINDOW, length), this.#size - offset));
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) throw this.#damaged(offset + done);
        done += bytesRead;
      }
      [this.#window, this.#start] = [bytes, offset];
    }
    return this.#window.subarray(offset - this.#start, offset - this.#start + length);
  }

  #damaged(at: number): UserError {
    return new UserError(
      `${this.file}: not a readable tar archive from byte ${at} on (of ${this.#size})`,
      'Get the file again; it may be truncated or of another format.',
    );
  }
}

/** Text of a field, up to its first zero byte. */
function textIn(bytes: Buffer, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString('utf8');
}

function nameIn(head: Buffer): string {
  const [name, prefix] = [textIn(head, 0, 100), textIn(head, 345, 155)];
  const hasPrefix = head.toString('latin1', 257, 263) === 'ustar\0' && prefix !== '';
  return hasPrefix ? `${prefix}/${name}` : name;
}

/** A number in octal digits, or, as GNU writes sizes above 8 GiB, in base 256; undefined for neither. */
function numberIn(head: Buffer, from: number, length: number): number | undefined {
  if (head[from] === 0x80) return head.readUIntBE(from + length - 6, 6);
  const digits = textIn(head, from, length).trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || '0', 8) : undefined;
}

/** Sum of a header's 512 bytes, where the eight bytes that store this sum count as spaces (POSIX.1-1988, ustar). */
function sumOf(head: Buffer): number {
  return head.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

/** Path and size of the next member from records `length key=value`; a size that is no whole number is NaN. */
function paxIn(text: string): { path?: string; size?: number } {
  const of = (key: string): string | undefined => new RegExp(`(?:^|\\n)\\d+ ${key}=([^\\n]*)\\n`).exec(text)?.[1];
  const [path, size] = [of('path'), of('size')];
  return {
    ...(path !== undefined && { path }),
    ...(size !== undefined && { size: /^\d+$/.test(size) ? Number(size) : NaN }),
  };
}
