import { lazyBackend } from './backend.ts';
import { registerChainedOps } from './chained.ts';
import { registerGradients } from './gradients/gradients.ts';
import { complexKernels } from './kernels/complex.ts';
import { conv } from './kernels/conv.ts';
import { counting } from './kernels/counting.ts';
import { elementwise } from './kernels/elementwise.ts';
import { hostKernels } from './kernels/host.ts';
import { matmul } from './kernels/matmul.ts';
import { morphology } from './kernels/morphology.ts';
import { norm } from './kernels/norm.ts';
import { pool } from './kernels/pool.ts';
import { reduce } from './kernels/reduce.ts';
import { shape } from './kernels/shape.ts';
import { spectral } from './kernels/spectral.ts';
import { STRING_KERNELS, withStrings } from './kernels/strings.ts';
import type { Table, TensorRow, TensorTable } from './kernels/table.ts';
import { onValues, registerTensorTable } from './kernels/table.ts';
import { tensors } from './kernels/tensors.ts';
import { volume } from './kernels/volume.ts';
import { patchLayers } from './layers/patch.ts';

/** Kernels that become graph nodes, by tfjs' names. */
const values: Table = {
  ...elementwise,
  ...reduce,
  ...shape,
  ...matmul,
  ...conv,
  ...pool,
  ...norm,
  ...counting,
  ...morphology,
  ...volume,
};

/** All kernels of the backend, by tfjs' names. */
export const kernels: TensorTable = withSpecialDtypes();

function withSpecialDtypes(): TensorTable {
  const rows: Record<string, TensorRow> = {};
  for (const [name, row] of Object.entries(values)) rows[name] = onValues(row);
  Object.assign(rows, complexKernels(values));
  for (const name of STRING_KERNELS) rows[name] = withStrings(name, values[name]!, rows[name]!);
  return { ...rows, ...tensors, ...spectral, ...hostKernels };
}

let installed = false;

/** Registers the backend with its kernels, once per process. tfjs' current backend is unchanged. */
export function install(): void {
  if (installed) return;
  installed = true;
  lazyBackend();
  registerTensorTable(kernels);
  registerGradients();
  registerChainedOps();
  patchLayers();
}
