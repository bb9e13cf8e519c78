import type { Target } from '../../ship/cluster/model.ts';

/**
 * The image of `limbeck serve` with the models inside, so that a version of the image is a version of the model. Limbeck comes
 * from the tarball that `npm run tarball` writes beside this file, with a lock of all packages that it needs.
 */
export function dockerfile(target: Target, limbeck: string): string {
  const cpu = target === 'cpu';
  return [
    '# syntax=docker/dockerfile:1',
    '# npm run tarball -- THIS_FOLDER in a clone of Limbeck writes the tarball, package.json and package-lock.json beside this file.',
    '# Then: docker build -t IMAGE THIS_FOLDER',
    '# A tag is another image tomorrow. Pin by digest: docker buildx imagetools inspect prints it, and --build-arg sets it:',
    `# docker build --build-arg NODE=${NODE_IMAGE}@sha256:DIGEST -t IMAGE THIS_FOLDER`,
    `ARG NODE=${NODE_IMAGE}`,
    ...(cpu ? [] : [`ARG GPU=${GPU_IMAGES[target]}`]),
    'FROM ${NODE} AS program',
    'WORKDIR /app',
    `COPY limbeck-${limbeck}.tgz package.json package-lock.json ./`,
    ...(cpu ? [] : ['# With its install script, which fetches the libraries for CUDA.']),
    `RUN npm ci ${cpu ? '--ignore-scripts ' : ''}--omit=dev --no-audit --no-fund \\`,
    ' && cd node_modules/onnxruntime-node/bin/napi-v6 && rm -rf darwin win32',
    '',
    ...(cpu ? ['FROM ${NODE}'] : ['FROM ${GPU}', 'COPY --from=program /usr/local/bin/node /usr/local/bin/node']),
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

const NODE_IMAGE = 'node:22-bookworm-slim';

const GPU_IMAGES = {
  gpu: 'nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04',
  tensorrt: 'nvcr.io/nvidia/tensorrt:24.12-py3',
} as const;
