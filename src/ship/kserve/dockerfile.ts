import type { Target } from '../cluster/model.ts';

/**
 * The image of `limbeck serve` with the models inside, so that a version of the image is a version of the model. Limbeck comes
 * from the tarball that `npm run tarball` writes, put beside this file.
 */
export function dockerfile(target: Target, limbeck: string): string {
  const cpu = target === 'cpu';
  return [
    '# syntax=docker/dockerfile:1',
    `# npm run tarball -- THIS_FOLDER in a clone of Limbeck, then: docker build -t IMAGE THIS_FOLDER`,
    'FROM node:22-bookworm-slim AS program',
    'WORKDIR /app',
    `COPY limbeck-${limbeck}.tgz ./`,
    ...(cpu
      ? [
          `RUN npm install --ignore-scripts --omit=dev --no-audit --no-fund ./limbeck-${limbeck}.tgz prom-client@^15.1.3 \\`,
          ' && cd node_modules/onnxruntime-node/bin/napi-v6 && rm -rf darwin win32',
        ]
      : [
          '# With its install script, which fetches the libraries for CUDA.',
          `RUN npm install --omit=dev --no-audit --no-fund ./limbeck-${limbeck}.tgz prom-client@^15.1.3 \\`,
          ' && cd node_modules/onnxruntime-node/bin/napi-v6 && rm -rf darwin win32',
        ]),
    '',
    ...(cpu ? ['FROM node:22-bookworm-slim'] : GPU_BASE[target]),
    'ENV NODE_ENV=production',
    'WORKDIR /app',
    'COPY --from=program /app/node_modules ./node_modules',
    'COPY models /models',
    'USER 1000:1000',
    'EXPOSE 8000',
    '# exec form: SIGTERM reaches the server, which answers what it has before it ends.',
    'ENTRYPOINT ["node", "node_modules/limbeck/dist/cli.js"]',
    '# Needs a file of tokens: docker run -v $PWD/tokens:/tokens/tokens:ro …',
    'CMD ["serve", "/models", "--host", "0.0.0.0", "--token-file", "/tokens/tokens"]',
    '',
  ].join('\n');
}

const NODE = 'COPY --from=program /usr/local/bin/node /usr/local/bin/node';

const GPU_BASE = {
  gpu: ['FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04', NODE],
  tensorrt: ['FROM nvcr.io/nvidia/tensorrt:24.12-py3', NODE],
} as const;
