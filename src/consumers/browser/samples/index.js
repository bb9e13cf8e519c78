import { models } from './kit.js';

const pages = { tflite: 'litert.html', onnx: 'onnxruntime.html' };
for (const { file, format } of models) {
  const link = document.createElement('a');
  link.href = pages[format] + '?model=' + encodeURIComponent(file);
  link.textContent = file;
  const item = document.createElement('li');
  item.append(link);
  document.querySelector('ul').append(item);
}
