import { lazyBackend } from './backend.ts';
import { registerGradients } from './gradients.ts';
import { complexKernels } from './kernels/complex.ts';
import { conv } from './kernels/conv.ts';
import { elementwise } from './kernels/elementwise.ts';
import { matmul } from './kernels/matmul.ts';
import { norm } from './kernels/norm.ts';
import { pool } from './kernels/pool.ts';
import { reduce } from './kernels/reduce.ts';
import { shape } from './kernels/shape.ts';
import type { Table } from './kernels/table.ts';
import { registerTable, registerTensorTable } from './kernels/table.ts';
import { tensors } from './kernels/tensors.ts';
import { patchLayers } from './layers/patch.ts';

/** Kernels that become graph nodes, by tfjs' names. */
export const kernels: Table = { ...elementwise, ...reduce, ...shape, ...matmul, ...conv, ...pool, ...norm };

let installed = false;

/** Registers the backend with its kernels, once in a process. tfjs' current backend stays what it was. */
export function install(): void {
  if (installed) return;
  installed = true;
  lazyBackend();
  const complex = complexKernels(kernels);
  const real = Object.entries(kernels).filter(([name]) => !(name in complex));
  registerTable(Object.fromEntries(real));
  registerTensorTable(complex);
  registerTensorTable(tensors);
  registerGradients();
  patchLayers();
}
