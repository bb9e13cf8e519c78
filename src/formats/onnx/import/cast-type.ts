import { dataTypes } from '../model.ts';
import type { OnnxNode } from '../model.ts';
import { attr, ignore } from './attrs.ts';
import type { Import } from './context.ts';

/** Target type of a `Cast`. */
export function castType(node: OnnxNode, c: Import): string {
  // Both concern 8-bit floats.
  ignore(node, 'saturate', 'round_mode');
  if (c.opset < 6) return (attr(node, c, 'to', 'string') ?? 'FLOAT').toLowerCase().replace(/^float$/, 'float32');
  const number = Number(attr(node, c, 'to', 'int'));
  return Object.entries(dataTypes).find(([, known]) => known === number)?.[0] ?? `type ${number}`;
}
