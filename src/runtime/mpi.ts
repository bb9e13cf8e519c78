import { createRequire } from 'node:module';
import type koffi from 'koffi';
import { UserError } from '../base/errors.ts';
import { installCommand } from '../base/packages.ts';
import type { MpiLaunch } from '../base/environment.ts';
import type { Collectives } from './collectives.ts';

/** Value that the library's functions take for a communicator, a type or an operation: pointers in Open MPI, numbers elsewhere. */
type Handle = unknown;

interface Abi {
  readonly handle: 'void *' | 'int' | 'intptr_t';
  readonly world: Handle;
  readonly float: Handle;
  readonly sum: Handle;
}

/** Names of the library, those of the launcher that has started this process first. */
const NAMES: Readonly<Record<MpiLaunch['by'], readonly string[]>> = {
  'Open MPI': ['libmpi.so.40', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'],
  MPICH: [
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
 * The processes that `mpirun` has started, by the library that it belongs to. `UserError` where the library or the package `koffi`, which
 * calls it, is not there: each process would else run the whole recipe by itself.
 */
export function openMpi({ by, size: told }: MpiLaunch): Collectives {
  const ffi = requireKoffi(by, told);
  const library = firstLibrary(ffi, NAMES[by], by);
  const abi = abiOf(library);
  const h = abi.handle;
  const bound = (name: string, types: string) => {
    const call = library.func(`int ${name}(${types})`) as (...args: unknown[]) => number;
    return (...args: unknown[]): void => {
      const code = call(...args);
      if (code !== 0) throw new Error(`${name} failed with code ${code}`);
    };
  };
  const init = bound('MPI_Init', 'void *, void *');
  const rankOf = bound('MPI_Comm_rank', `${h}, _Out_ int *`);
  const sizeOf = bound('MPI_Comm_size', `${h}, _Out_ int *`);
  const allgather = bound('MPI_Allgather', `void *, int, ${h}, void *, int, ${h}, ${h}`);
  const allreduce = bound('MPI_Allreduce', `void *, void *, int, ${h}, ${h}, ${h}`);
  const broadcast = bound('MPI_Bcast', `void *, int, ${h}, int, ${h}`);
  const barrier = bound('MPI_Barrier', h);
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
  return {
    rank,
    size,
    allgather: (own) => {
      const all = new Float32Array(size * own.length);
      allgather(own, own.length, abi.float, all, own.length, abi.float, abi.world);
      return all;
    },
    allreduce: (own) => {
      const sum = new Float32Array(own.length);
      allreduce(own, sum, own.length, abi.float, abi.sum, abi.world);
      return sum;
    },
    broadcast: (values) => broadcast(values, values.length, abi.float, 0, abi.world),
    barrier: () => barrier(abi.world),
    abort: (exitCode) => abort(abi.world, exitCode),
    finish: () => finalize(),
  };
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
  // The standard ABI of MPI 5 says so itself; MPICH and those that follow it have handles of their own.
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
      // Its plugins look for its symbols among those of the program.
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
