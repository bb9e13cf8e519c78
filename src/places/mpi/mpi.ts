import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type koffi from 'koffi';
import { UserError } from '../../base/errors.ts';
import { installCommand } from '../../base/process/packages.ts';
import { presetEnvironment } from '../../base/process/environment.ts';
import { awaitAll } from './arrival.ts';
import type { Arrival } from './arrival.ts';
import type { PendingCall } from '../../run/processes/collectives.ts';
import type { Connect } from '../../run/processes/connections.ts';
import { SharedMemory } from './shared-memory.ts';

/** A communicator, type or operation of the library: a pointer in Open MPI, a number elsewhere. */
type Handle = unknown;

interface Abi {
  readonly handle: 'void *' | 'int' | 'intptr_t';
  readonly world: Handle;
  readonly float: Handle;
  readonly sum: Handle;
}

/**
 * Variables that MPI libraries read when they are loaded. Open MPI and UCX patch the machine code of mmap, brk and similar functions to track memory
 * that a network card knows. A few starts of Node under Open MPI ended in a segmentation fault, none since this is off; that it was the cause is not
 * proven.
 */
const PRESET = { OMPI_MCA_memory: '^patcher', UCX_MEM_EVENTS: 'no' };

/** Names of the library; the library of the launcher that started this process comes first. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'Open MPI': ['libmpi.so.40', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'],
  MPICH: [
    'libmpi_abi.so.1',
    'libmpi_abi.so.0',
    'libmpi_abi.so',
    'libmpich.so.12',
    'libmpi.so.12',
    'libmpich.so',
    'libmpi.so',
    'libmpi.dylib',
  ],
};

/**
 * Connects the processes that `mpirun` has started, through the launcher's library. `UserError` without the library or the package `koffi`, which
 * calls it: each process would otherwise run the whole recipe alone.
 */
export const connect: Connect = ({ by, size: told }, { seconds, place }) => {
  const ffi = requireKoffi(by, told);
  presetEnvironment(PRESET);
  const library = firstLibrary(ffi, NAMES[by]!, by);
  const abi = abiOf(library);
  const h = abi.handle;
  const bound: Bound = (name, types) => {
    const call = library.func(`int ${name}(${types})`) as (...args: unknown[]) => number;
    return (...args: unknown[]): void => {
      const code = call(...args);
      if (code !== 0) throw new Error(`${name} failed with code ${code}`);
    };
  };
  const init = bound('MPI_Init', 'void *, void *');
  const rankOf = bound('MPI_Comm_rank', `${h}, _Out_ int *`);
  const sizeOf = bound('MPI_Comm_size', `${h}, _Out_ int *`);
  const allgather = bound('MPI_Iallgather', `void *, int, ${h}, void *, int, ${h}, ${h}, void *`);
  const alltoall = bound('MPI_Ialltoall', `void *, int, ${h}, void *, int, ${h}, ${h}, void *`);
  const allreduce = bound('MPI_Iallreduce', `void *, void *, int, ${h}, ${h}, ${h}, void *`);
  const broadcast = bound('MPI_Ibcast', `void *, int, ${h}, int, ${h}, void *`);
  const abort = bound('MPI_Abort', `${h}, int`);
  const finalize = bound('MPI_Finalize', '');
  init(null, null);
  const [rank, size] = [rankOf, sizeOf].map((ask) => {
    const found = [0];
    ask(abi.world, found);
    return found[0]!;
  }) as [number, number];
  if (size !== told)
    throw new UserError(
      `${by} has started ${told} processes, and its library knows of ${size}`,
      'Start Limbeck by the mpirun that belongs to the library that is found first.',
    );
  const waits = arrivals(bound, abi, rank, size);
  let places: readonly string[] = Array.from({ length: size }, (_, other) => `rank ${other}`);
  let waitedMs = 0;
  const arrive = (): void => void (waitedMs += awaitAll(waits.arrived(), { rank, places, seconds }));
  /** A non-blocking call and its wait: a blocking call could not be given up. */
  const begin = (...call: Parameters<typeof waits.called>): PendingCall => {
    const called = waits.called(...call);
    return { wait: () => void awaitAll(called, { rank, places, seconds }) };
  };
  const collective = (...call: Parameters<typeof waits.called>): void => {
    arrive();
    begin(...call).wait();
  };
  const gathered = reused();
  const gather = (own: Float32Array): Float32Array => {
    const all = gathered(size * own.length);
    collective(allgather, own, own.length, abi.float, all, own.length, abi.float, abi.world);
    return all;
  };
  const reduce = (own: Float32Array): Float32Array => {
    const sum = new Float32Array(own.length);
    collective(allreduce, own, sum, own.length, abi.float, abi.sum, abi.world);
    return sum;
  };
  places = textsOf(gather(floatsOf(place)), size);
  const memory = new SharedMemory({ rank, size, allgather: gather, allreduce: reduce, barrier: arrive }, ffi);
  return {
    rank,
    size,
    get waitedSeconds() {
      return waitedMs / 1000;
    },
    allgather: gather,
    beginAlltoall: (own, all) => {
      const each = own.length / size;
      return begin(alltoall, own, each, abi.float, all, each, abi.float, abi.world);
    },
    beginAllgather: (own, all) => begin(allgather, own, own.length, abi.float, all, own.length, abi.float, abi.world),
    allreduce: reduce,
    share: (length) => memory.rooms(length),
    broadcast: (values) => collective(broadcast, values, values.length, abi.float, 0, abi.world),
    barrier: arrive,
    meet: async () => {
      const { isWhole } = waits.arrived();
      while (!isWhole()) await delay(MEET_MS);
    },
    abort: (exitCode) => abort(abi.world, exitCode),
    finish: () => finalize(),
  };
};

/** Milliseconds between polls in `meet`: rare enough not to disturb timings in other processes. */
const MEET_MS = 20;

/** Returns an array of the requested length, reused as long as the length does not change: allocating megabytes in each step takes time. */
function reused(): (length: number) => Float32Array {
  let array = new Float32Array(0);
  return (length) => (array = array.length === length ? array : new Float32Array(length));
}

type Bound = (name: string, types: string) => (...args: unknown[]) => void;

/**
 * Announces the arrival of this process without waiting: by a non-blocking barrier, and a message to process 0, which thereby knows the missing
 * processes. Requests and messages have memory of their own, because the library writes to it after the call.
 */
function arrivals(bound: Bound, { handle: h, float, world }: Abi, rank: number, size: number) {
  const ibarrier = bound('MPI_Ibarrier', `${h}, void *`);
  const isend = bound('MPI_Isend', `void *, int, ${h}, int, int, ${h}, void *`);
  const irecv = bound('MPI_Irecv', `void *, int, ${h}, int, int, ${h}, void *`);
  const test = bound('MPI_Test', 'void *, void *, void *');
  const flag = new Int32Array(new ArrayBuffer(256));
  const status = new Uint8Array(new ArrayBuffer(256));
  const others = Array.from({ length: size - 1 }, (_, i) => i + 1);
  const messages = () =>
    Array.from({ length: size }, () => ({
      request: new BigInt64Array(new ArrayBuffer(256)),
      message: new Float32Array(new ArrayBuffer(256)),
    }));
  const [ofArrival, ofLife] = [messages(), messages()];
  const barrier = new BigInt64Array(new ArrayBuffer(256));
  /** A finished request stays finished: the library makes it a null request. */
  const isDone = (request: BigInt64Array): boolean => {
    test(request, flag, status);
    return flag[0] !== 0;
  };
  const awaited = rank === 0 ? others : [rank];
  const missingIn = (memory: ReturnType<typeof messages>) => (): number[] =>
    awaited.filter((other) => !isDone(memory[other]!.request));
  const tell = (memory: ReturnType<typeof messages>, tag: number): void => {
    for (const other of awaited) {
      const { request, message } = memory[other]!;
      if (rank === 0) irecv(message, 1, float, other, tag, world, request);
      else isend(message, 1, float, 0, tag, world, request);
    }
  };
  return {
    arrived: (): Arrival & { readonly late?: () => void } => {
      tell(ofArrival, ARRIVED);
      ibarrier(world, barrier);
      const missing = missingIn(ofArrival);
      // Process 0 may still be in the previous call, asking which processes live.
      const late = rank === 0 ? undefined : () => tell(ofLife, ALIVE);
      return { isWhole: () => isDone(barrier) && missing().length === 0, missing, ...(late && { late }) };
    },
    /** Starts a call that all processes have reached. The result waits for its end; living processes send signs of life if it takes too long. */
    called: (call: (...args: unknown[]) => void, ...args: unknown[]) => {
      // Accessing the buffer of a small array moves it to its final address, to which the library writes while JavaScript continues.
      for (const one of args) if (one instanceof Float32Array) one.buffer.slice(0, 0);
      const request = new BigInt64Array(new ArrayBuffer(256));
      call(...args, request);
      const isWhole = (): boolean => isDone(request);
      // Referenced until the end, so that the arrays are not garbage collected.
      return { isWhole, missing: missingIn(ofLife), late: () => tell(ofLife, ALIVE), held: args };
    },
  };
}

const ARRIVED = 18;
const ALIVE = 19;
/** Bytes of a place. */
const PLACE = 96;

function floatsOf(text: string): Float32Array {
  const floats = new Float32Array(PLACE);
  floats.set(Buffer.from(text).subarray(0, PLACE));
  return floats;
}

function textsOf(all: Float32Array, size: number): string[] {
  const text = (rank: number): string => Buffer.from(all.slice(rank * PLACE, (rank + 1) * PLACE)).toString();
  return Array.from({ length: size }, (_, rank) => text(rank).replaceAll('\0', ''));
}

type Library = ReturnType<typeof koffi.load>;

function abiOf(library: Library): Abi {
  const symbol = (name: string): unknown => {
    try {
      return library.symbol(name);
    } catch {
      return undefined;
    }
  };
  const world = symbol('ompi_mpi_comm_world');
  if (world !== undefined)
    return { handle: 'void *', world, float: symbol('ompi_mpi_float'), sum: symbol('ompi_mpi_op_sum') };
  // Libraries with MPI 5's standard ABI define this function; MPICH and its derivatives have handles of their own.
  return symbol('MPI_Abi_get_version') !== undefined && symbol('MPIR_Process') === undefined
    ? { handle: 'intptr_t', world: 0x101, float: 0x210, sum: 0x21 }
    : { handle: 'int', world: 0x44000000, float: 0x4c00040a, sum: 0x58000003 };
}

function requireKoffi(by: string, size: number): typeof koffi {
  try {
    return createRequire(import.meta.url)('koffi') as typeof koffi;
  } catch {
    throw new UserError(
      `${by} has started ${size} processes, and the package koffi, which calls its library, is not installed`,
      `Run: ${installCommand(['koffi'])}, or start limbeck without mpirun.`,
    );
  }
}

function firstLibrary(ffi: typeof koffi, names: readonly string[], by: string): Library {
  for (const name of names) {
    try {
      // Global, because the library's plugins look up its symbols there.
      return ffi.load(name, { global: true });
    } catch {
      // Try the next name.
    }
  }
  throw new UserError(
    `${by} has started this process, and its library is not found: ${names.join(', ')}`,
    'Set LD_LIBRARY_PATH to the folder that holds it, or start limbeck without mpirun.',
  );
}
