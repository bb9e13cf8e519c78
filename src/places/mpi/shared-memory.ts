import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';
import type koffi from 'koffi';
import type { Collectives, SharedRooms } from '../../run/processes/collectives.ts';

/** Folder of files in memory, which POSIX does not name; without it, processes send messages. */
const FOLDER = '/dev/shm';
/** `PROT_READ | PROT_WRITE` and `MAP_SHARED` of POSIX's mmap, the same on Linux and macOS. */
const [READ_WRITE, SHARED] = [3, 1];
const PAGE = 65536;
/** Bytes of a file's name. */
const NAME = 64;

type Others = Pick<Collectives, 'rank' | 'size' | 'allgather' | 'allreduce' | 'barrier'>;
type Maps = (fd: number, bytes: number) => ArrayBuffer;

/**
 * Memory that all processes on a machine share: a file that each maps, and that is unlinked as soon as all have. Released memory is kept for the next
 * request of at most its size, because views of unmapped memory would be invalid.
 */
export class SharedMemory {
  readonly #others: Others;
  readonly #maps: Maps | undefined;
  readonly #free: SharedRooms[] = [];
  /** True if all processes see each other's memory; undefined before the first try. */
  #isOneMachine: boolean | undefined;

  constructor(others: Others, ffi: typeof koffi) {
    this.#others = others;
    this.#maps = mapsOf(ffi);
  }

  /** All processes must call it. Undefined in all if one of them cannot see the memory. */
  rooms(length: number): SharedRooms | undefined {
    // Tried with little memory, because a mapping is never released.
    this.#isOneMachine ??= this.#made(1) !== undefined;
    if (!this.#isOneMachine) return undefined;
    const at = this.#free.findIndex(({ rooms }) => rooms[0]!.length >= length);
    if (at === -1) return this.#made(length);
    // Other processes may still be reading the old content.
    this.#others.barrier();
    const [whole] = this.#free.splice(at, 1) as [SharedRooms];
    return { rooms: whole.rooms.map((room) => room.subarray(0, length)), release: () => whole.release() };
  }

  #made(length: number): SharedRooms | undefined {
    const { rank, size, barrier } = this.#others;
    const room = Math.ceil((4 * length) / PAGE) * PAGE;
    const created = rank === 0 ? attempt(() => create(size * room)) : undefined;
    let memory: ArrayBuffer | undefined;
    try {
      const name = this.#told(created?.name ?? '');
      const file = created ?? (name === '' ? undefined : attempt(() => open(name, size * room)));
      memory = file && this.#maps && attempt(() => this.#maps!(file.fd, size * room));
      const all = this.#others.allreduce(Float32Array.of(memory === undefined ? 0 : 1))[0]! === size;
      if (file !== undefined) closeSync(file.fd);
      barrier();
      if (!all) return undefined;
    } finally {
      // Even if another process ends meanwhile: the file would otherwise stay until the machine restarts.
      if (created !== undefined) attempt(() => unlinkSync(path.join(FOLDER, created.name)));
    }
    const rooms = Array.from({ length: size }, (_, other) => new Float32Array(memory!, other * room, length));
    const made: SharedRooms = { rooms, release: () => void this.#free.push(made) };
    return made;
  }

  /** The text of process 0. */
  #told(text: string): string {
    const floats = new Float32Array(NAME);
    floats.set(Buffer.from(text));
    const all = this.#others.allgather(floats);
    return Buffer.from(all.slice(0, NAME)).toString().replaceAll('\0', '');
  }
}

interface File {
  readonly name: string;
  readonly fd: number;
}

/** Creates a file of zeros. Writing them fails if memory is short, rather than the first access. */
function create(bytes: number): File | undefined {
  if (!existsSync(FOLDER)) return undefined;
  const name = `limbeck-${randomUUID()}`;
  const fd = openSync(path.join(FOLDER, name), 'wx+', 0o600);
  try {
    const zeros = new Uint8Array(PAGE);
    for (let at = 0; at < bytes; at += PAGE) if (writeSync(fd, zeros) !== PAGE) throw new Error('no memory');
  } catch (error) {
    closeSync(fd);
    unlinkSync(path.join(FOLDER, name));
    throw error;
  }
  return { name, fd };
}

function open(name: string, bytes: number): File | undefined {
  const fd = openSync(path.join(FOLDER, name), 'r+');
  if (fstatSync(fd).size === bytes) return { name, fd };
  closeSync(fd);
  return undefined;
}

function mapsOf(ffi: typeof koffi): Maps | undefined {
  const map = attempt(() => ffi.load(null).func('void *mmap(void *, size_t, int, int, int, int64_t)')) as
    ((...args: unknown[]) => unknown) | undefined;
  return (
    map &&
    ((fd, bytes) => {
      const address = map(null, bytes, READ_WRITE, SHARED, fd, 0);
      // MAP_FAILED is -1.
      if (BigInt.asIntN(64, ffi.address(address)) === -1n) throw new Error('mmap failed');
      return ffi.view(address, bytes);
    })
  );
}

/** The result, or undefined if this machine does not support it: processes then send messages. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
