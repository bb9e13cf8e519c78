/** Start page of the server of a kit. */
export const INDEX = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Models of this kit</title>
    <script type="module" src="./index.js"></script>
  </head>
  <body>
    <h1>Models of this kit</h1>
    <ul></ul>
  </body>
</html>
`;

/** Its script: a link to each model. */
export const LINKS = `import { models } from './kit.js';

const pages = { tflite: 'litert.html', onnx: 'onnxruntime.html' };
for (const { file, format } of models) {
  const link = document.createElement('a');
  link.href = pages[format] + '?model=' + encodeURIComponent(file);
  link.textContent = file;
  const item = document.createElement('li');
  item.append(link);
  document.querySelector('ul').append(item);
}
`;

/** Page that runs a script beside a field for what is chosen or written. `imports`: places of packages. */
export function page(title: string, imports: Readonly<Record<string, string>>, script: string, field: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>${title}</title>
    <script type="importmap">
      ${JSON.stringify({ imports })}
    </script>
    <script type="module" src="${script}"></script>
    <script>
      function tell(problem) {
        document.body.dataset.problem = problem;
        document.body.append(Object.assign(document.createElement('p'), { textContent: problem }));
      }
      addEventListener('unhandledrejection', ({ reason }) => tell(String(reason)));
      // A script that cannot be loaded has no message.
      addEventListener('error', ({ message, target }) => tell(message ?? 'cannot load ' + target.src + ': npm install'), true);
    </script>
  </head>
  <body>
    <h1>${title}</h1>
    ${field}
    <ol></ol>
  </body>
</html>
`;
}
