import type { LayersModel } from '@tensorflow/tfjs-layers';

/**
 * Renames layers that tfjs-layers has named by the number of layers built in this process, such as `dense_Dense7` in `sequential_3`, by their order
 * in the model: names of weights and nodes must be the same in every process, or a resumed run could not find its weights.
 */
export function renumber(model: LayersModel): void {
  const renamed = new Map<string, string>();
  const seen = new Map<string, number>();
  for (const layer of model.layers) {
    const kind = layer.getClassName();
    const stem = new RegExp(`^(.+)_${kind}\\d+$`).exec(layer.name)?.[1];
    if (stem === undefined) continue;
    const number = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, number);
    const name = `${stem}_${number}`;
    renamed.set(layer.name, name);
    layer.name = name;
  }
  model.name = model.name.replace(/^(sequential|model)_?\d+$/, '$1');
  // A functional model refers to its nodes by the previous names of their layers.
  const { containerNodes } = model as unknown as { containerNodes?: Set<string> };
  if (containerNodes === undefined) return;
  for (const key of Array.from(containerNodes)) {
    const end = key.lastIndexOf('_ib-');
    const name = renamed.get(key.slice(0, end));
    if (name === undefined) continue;
    containerNodes.delete(key);
    containerNodes.add(name + key.slice(end));
  }
}
