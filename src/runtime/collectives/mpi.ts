import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type koffi from 'koffi';
import { UserError } from '../../base/errors.ts';
import { installCommand } from '../../base/packages.ts';
import { prepareMpi } from '../../base/environment.ts';
import type { MpiLaunch } from '../../base/environment.ts';
import { awaitAll } from './arrival.ts';
import type { Arrival } from './arrival.ts';
import type { PendingCall, Collectives } from './collectives.ts';
import { SharedMemory } from './shared-memory.ts';

/** Value that the library's functions take for a communicator, a type or an operation: pointers in Open MPI, numbers elsewhere. */
type Handle = unknown;

interface Abi {
  readonly handle: 'void *' | 'int' | 'intptr_t';
  readonly world: Handle;
  readonly float: Handle;
  readonly sum: Handle;
}

/** Names of the library; the library of the launcher that has started this process comes first. */
const NAMES: Readonly<Record<MpiLaunch['by'], readonly string[]>> = {
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

export interface MpiOptions {
  /** Seconds after which a process that does not come to a call counts as stuck. */
  readonly seconds: number;
  /** Machine and process id, for people. */
  readonly place: string;
}

/**
 * The processes that `mpirun` has started, by the library that it belongs to. `UserError` where the library or the package `koffi`, which
 * calls it, is not there: each process would else run the whole recipe by itself.
 */
export function openMpi({ by, size: told }: MpiLaunch, { seconds, place }: MpiOptions): Collectives {
  const ffi = requireKoffi(by, told);
  prepareMpi();
  const library = firstLibrary(ffi, NAMES[by], by);
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
  /** A call that does not block, and the wait for it: a blocking one could not be given up. */
  const begin = (...call: Parameters<typeof waits.called>): PendingCall => {
    const called = waits.called(...call);
    return { wait: () => void awaitAll(called, { rank, places, seconds }) };
  };
  const together = (...call: Parameters<typeof waits.called>): void => {
    arrive();
    begin(...call).wait();
  };
  const gathered = reused();
  const gather = (own: Float32Array): Float32Array => {
    const all = gathered(size * own.length);
    together(allgather, own, own.length, abi.float, all, own.length, abi.float, abi.world);
    return all;
  };
  const reduce = (own: Float32Array): Float32Array => {
    const sum = new Float32Array(own.length);
    together(allreduce, own, sum, own.length, abi.float, abi.sum, abi.world);
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
    broadcast: (values) => together(broadcast, values, values.length, abi.float, 0, abi.world),
    barrier: arrive,
    meet: async () => {
      const { isWhole } = waits.arrived();
      while (!isWhole()) await delay(MEET_MS);
    },
    abort: (exitCode) => abort(abi.world, exitCode),
    finish: () => finalize(),
  };
}

/** Milliseconds between two questions whether all have come who meet: so seldom that what others time meanwhile is not disturbed. */
const MEET_MS = 20;

/** Gives an array of a length, the same one again as long as the length stays: new ones of megabytes in each step take time. */
function reused(): (length: number) => Float32Array {
  let array = new Float32Array(0);
  return (length) => (array = array.length === length ? array : new Float32Array(length));
}

type Bound = (name: string, types: string) => (...args: unknown[]) => void;

/**
 * Tells all processes that this one has come, without waiting for them: a barrier that does not block, and a message to process 0, which
 * so knows who is missing. Requests and messages lie in memory of their own, since the library writes there after the call.
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
  /** A request that is done stays done: the library makes it a null request. */
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
      // Process 0 may still be in the call before, and want to know who lives.
      const late = rank === 0 ? undefined : () => tell(ofLife, ALIVE);
      return { isWhole: () => isDone(barrier) && missing().length === 0, missing, ...(late && { late }) };
    },
    /** Begins a call that all processes have come to. The result waits for its end; living processes give signs of life when it takes too long. */
    called: (call: (...args: unknown[]) => void, ...args: unknown[]) => {
      // Asking for the buffer of a small array moves it to where it stays: the library writes there while JavaScript goes on.
      for (const one of args) if (one instanceof Float32Array) one.buffer.slice(0, 0);
      const request = new BigInt64Array(new ArrayBuffer(256));
      call(...args, request);
      const isWhole = (): boolean => isDone(request);
      // Held until then: the arrays must not be collected as garbage.
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
  // The standard ABI of MPI 5 says so itself; MPICH and its derivatives have handles of their own.
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
      // Its plugins look for its symbols among the symbols of the program.
      return ffi.load(name, { global: true });
    } catch {
      // The next one.
    }
  }
  throw new UserError(
    `${by} has started this process, and its library is not found: ${names.join(', ')}`,
    'Set LD_LIBRARY_PATH to the folder that holds it, or start limbeck without mpirun.',
  );
}
