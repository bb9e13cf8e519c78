import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants as zlib, createGunzip, gunzip } from 'node:zlib';
import type { ZlibOptions } from 'node:zlib';
import { UserError } from '../../base/errors.ts';
import { hex } from '../../base/typed-bytes.ts';
import { asUserError, openToRead, readBytes } from '../../base/files.ts';
import type { DataFiles } from '../config.ts';
import { sharedBytes } from '../dataset.ts';

export function fileList(files: DataFiles): readonly string[] {
  return typeof files === 'string' ? [files] : files;
}

/** Reads a whole file, decompressed if it is gzip (by its first bytes, not its name). */
export async function readUnpacked(file: string): Promise<Uint8Array> {
  const bytes = await readBytes(file);
  if (bytes.length === 0) throw emptyFile(file);
  if (!isGzip(bytes)) return bytes;
  try {
    return await unpack(bytes);
  } catch (error) {
    if (zlibCode(error) !== ENDS_EARLY) throw badGzip(file, error);
    const { length } = await unpack(bytes, { finishFlush: zlib.Z_SYNC_FLUSH });
    throw endsEarly(file, `${bytes.length} bytes, which unpack to ${length}`);
  }
}

/** Reads a whole file into memory that threads share. */
export async function readShared(file: string): Promise<Uint8Array> {
  const handle = await openToRead(file);
  try {
    const bytes = sharedBytes((await handle.stat()).size);
    let done = 0;
    for (let read = -1; read !== 0 && done < bytes.length; done += read)
      ({ bytesRead: read } = await handle.read(bytes, done, Math.min(bytes.length - done, 1 << 30), done));
    return bytes.subarray(0, done);
  } catch (error) {
    throw asUserError(error, file, 'read');
  } finally {
    await handle.close();
  }
}

/** On 47 MB a sixth faster than the default of 16 KB. */
const PIECE = 1 << 20;
const unpack = async (bytes: Uint8Array, options: ZlibOptions = {}): Promise<Uint8Array> =>
  promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip)(bytes, { chunkSize: PIECE, ...options });

/** Opens a text file as a stream of bytes, decompressed if it is gzip. */
export async function openUnpacked(file: string): Promise<Readable> {
  refuseOtherText(file, await firstBytes(file));
  return openRaw(file);
}

/** Opens any file as a stream of bytes, decompressed if it is gzip. */
export async function openRaw(file: string): Promise<Readable> {
  const gzip = await isCompressed(file);
  const raw = (await openToRead(file)).createReadStream({ highWaterMark: 1 << 18 });
  if (!gzip) return raw;
  const unpacked = createGunzip({ chunkSize: PIECE });
  raw.on('error', (error) => unpacked.destroy(error));
  unpacked.on('close', () => raw.destroy());
  return raw.pipe(unpacked);
}

/** Maximum letters of a line, as of a record of a CSV file. */
const LONGEST_LINE = 1 << 26;

/** The lines of a text file, chunk by chunk, without line ends; a byte order mark is dropped. `UserError` for a line that memory could not hold. */
export async function* linesOf(file: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of (await openUnpacked(file)) as AsyncIterable<Uint8Array>) {
      // The start of a line is not searched again with each chunk of a long one.
      const lines = decoder.decode(chunk, { stream: true }).split('\n');
      lines[0] = rest + lines[0]!;
      rest = lines.pop()!;
      if (rest.length > LONGEST_LINE)
        throw new UserError(
          `${file}: a line of more than ${LONGEST_LINE} letters`,
          'Check that this is the file that was meant; its lines end with line feeds.',
        );
      yield lines;
    }
  } catch (error) {
    throw await streamError(file, error);
  }
  // Bytes of an incomplete character at the end.
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}

/** True for a text file, plain or compressed, whose bytes are UTF-8. */
export async function isUtf8(file: string): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of (await openUnpacked(file)) as AsyncIterable<Uint8Array>)
      decoder.decode(chunk, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return false;
    throw await streamError(file, error);
  }
}

/** `UserError` for UTF-16 text, zip archives and Excel workbooks, which are no UTF-8 text. */
function refuseOtherText(file: string, start: Uint8Array): void {
  const bytes = hex(start);
  if (bytes.startsWith('ff fe') || bytes.startsWith('fe ff')) {
    throw new UserError(
      `${file}: the text is UTF-16 (it starts with ${hex(start, 2)}), expected UTF-8`,
      'Save it as UTF-8, or convert it with `iconv -f utf-16 -t utf-8`.',
    );
  }
  if (bytes === '50 4b 03 04') {
    throw new UserError(
      `${file}: a zip archive or an Excel workbook (it starts with ${bytes}), expected text`,
      'Unpack it, or save the sheet as CSV.',
    );
  }
}

/** True for a gzip file. */
export async function isCompressed(file: string): Promise<boolean> {
  return isGzip(await firstBytes(file));
}

/** First bytes of a file, decompressed: enough for the header of a file that is read in parts. */
export async function startOf(file: string): Promise<Uint8Array> {
  try {
    const stream = await openRaw(file);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) return chunk;
  } catch (error) {
    throw await streamError(file, error);
  }
  throw emptyFile(file);
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const bytes = await bytesAt(file, 0, 4);
  if (bytes.length === 0) throw emptyFile(file);
  return bytes;
}

/** Bytes of a file from a position on: `length`, or fewer at the end. */
export async function bytesAt(file: string, position: number, length: number): Promise<Uint8Array> {
  try {
    const handle = await openToRead(file);
    try {
      const { buffer, bytesRead } = await handle.read({ buffer: new Uint8Array(length), position });
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw asUserError(error, file, 'read');
  }
}

/**
 * Number of lines of a text file, an upper bound for its records; 0 (unknown) if it is compressed. It costs a few percent of parsing, and avoids
 * growing an array of gigabytes.
 */
export async function countLines(file: string): Promise<number> {
  if (isGzip(await firstBytes(file))) return 0;
  let feeds = 0;
  let returns = 0;
  for await (const chunk of (await openToRead(file)).createReadStream({
    highWaterMark: 1 << 18,
  }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) feeds++;
    // Old Mac files end lines with a carriage return only.
    if (feeds === 0) for (let at = chunk.indexOf(13); at !== -1; at = chunk.indexOf(13, at + 1)) returns++;
  }
  return Math.max(feeds, returns) + 1;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export function emptyFile(file: string): UserError {
  return new UserError(`${file}: the file is empty (0 bytes)`, 'Get it again, or point the recipe at another file.');
}

const ENDS_EARLY = 'Z_BUF_ERROR';

function zlibCode(error: unknown): string {
  const { code = '' } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: string };
  return code.startsWith('Z_') ? code : '';
}

function endsEarly(file: string, received: string): UserError {
  return new UserError(
    `${file}: truncated: the gzip data ends too early, received ${received}`,
    'Get the file again and compare its size with the source.',
  );
}

/** `UserError` for a file that zlib cannot decompress; other errors unchanged. */
function badGzip(file: string, error: unknown): unknown {
  if (zlibCode(error) === '') return error;
  return new UserError(
    `${file}: the gzip data is damaged (${(error as Error).message})`,
    'Get the file again; `gzip -t` tells whether it is whole.',
  );
}

/** Error for the user from an error of a stream of `file`; `unpacked` ends the sentence about data that end too early. */
export async function streamError(file: string, error: unknown, unpacked = ''): Promise<unknown> {
  if (zlibCode(error) === ENDS_EARLY) return endsEarly(file, `${(await stat(file)).size} bytes${unpacked}`);
  return badGzip(file, asUserError(error, file, 'read'));
}

/** Bytes of the start of a table. */
const START_BYTES = 2 ** 18;

/** The first lines of a file, no more than a table needs to be recognized. */
export async function firstLines(file: string, most: number): Promise<string[]> {
  const lines: string[] = [];
  let size = 0;
  for await (const some of linesOf(file)) {
    // Not all at once: a chunk may be a million empty lines.
    for (const line of some) {
      lines.push(line);
      size += line.length + 1;
      if (lines.length > most || size > START_BYTES) return lines;
    }
  }
  return lines;
}
