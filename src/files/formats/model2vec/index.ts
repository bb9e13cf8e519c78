import type { FormatAsOnnx } from '../../as-onnx.ts';
import { isModel2vecFile } from './names.ts';

export const model2vec: FormatAsOnnx = { name: 'model2vec', isFile: isModel2vecFile, isPart: true };
