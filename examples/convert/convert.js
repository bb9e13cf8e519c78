import { convert } from 'limbeck/convert';
import * as ort from 'onnxruntime-web';

const status = document.querySelector('[role=status]');
document.querySelector('input').addEventListener('change', async ({ target: { files } }) => {
  status.textContent = 'Converting';
  try {
    const bytes = new Uint8Array(await files[0].arrayBuffer());
    const made = await convert(bytes, { to: 'tflite', name: files[0].name, runtime: ort });
    const links = Array.from(made.files, ([name, content]) => {
      const href = URL.createObjectURL(new Blob([content]));
      return Object.assign(document.createElement('a'), { href, download: name, textContent: name });
    });
    status.replaceChildren(...links, ` ${made.notes.join('. ')}`);
  } catch (error) {
    status.textContent = `${error.message}. ${error.hint ?? ''}`;
  }
});
