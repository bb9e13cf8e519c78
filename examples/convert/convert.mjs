// node convert.mjs model.onnx tflite fp16: writes model-fp16.tflite
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { convert } from 'limbeck/convert';
import * as ort from 'onnxruntime-node';

const [file, to = 'tflite', precision = 'fp32'] = process.argv.slice(2);
const made = await convert(await readFile(file), { to, precision, name: path.basename(file), runtime: ort });
for (const [name, bytes] of made.files) await writeFile(name, bytes);
for (const note of made.notes) console.log(note);
