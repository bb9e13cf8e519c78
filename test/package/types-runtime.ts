/** Compiled like types.ts, but without a look at the types of onnxruntime itself, which need those of browsers. */
import type { OrtModule } from 'limbeck/convert';
import * as ort from 'onnxruntime-node';

export const runtime: OrtModule = ort;
