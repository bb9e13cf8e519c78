import type { LayersModel } from '@tensorflow/tfjs-layers';

/**
 * tfjs-layers names what has no name by how many of its kind the process has built, e.g. `dense_Dense7` in `sequential_3`.
 * Here they are numbered within their model, in order of its layers: names of weights and nodes must be the same in every
 * process, or a resumed run could not find its weights.
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
  // A functional model knows its nodes by the names that their layers had.
  const { containerNodes } = model as unknown as { containerNodes?: Set<string> };
  if (containerNodes === undefined) return;
  for (const key of [...containerNodes]) {
    const end = key.lastIndexOf('_ib-');
    const name = renamed.get(key.slice(0, end));
    if (name === undefined) continue;
    containerNodes.delete(key);
    containerNodes.add(name + key.slice(end));
  }
}
