import type { Target } from '../../ship/cluster/model.ts';
import type { Settings } from './settings.ts';

export const PORT = 8000;

const DEVICES: Readonly<Record<Target, string>> = { cpu: 'cpu', gpu: 'cuda', tensorrt: 'tensorrt' };

const TOKENS = '/tokens';

/** Volumes of a pod: the tokens that clients need, from a Secret that is not in the files; without it no pod starts. */
export function volumes({ name }: Settings) {
  return [{ name: 'tokens', secret: { secretName: `${name}-tokens` } }];
}

/** The container of `limbeck serve` with one worker: one more request for a pod is one more pod, not one more process. */
export function container({ model, image, target, threads, memory }: Settings, name: string, file: string) {
  const probe = (health: string) => ({ httpGet: { path: `/v2/health/${health}`, port: PORT } });
  const gpu = target === 'cpu' ? {} : { 'nvidia.com/gpu': '1' };
  return {
    name,
    image,
    args: [
      'serve',
      `${model}=/models/${file}`,
      '--host',
      '0.0.0.0',
      '--port',
      String(PORT),
      '--device',
      DEVICES[target],
      '--workers',
      '1',
      '--threads',
      String(threads),
      '--token-file',
      `${TOKENS}/tokens`,
      '--open-metrics',
    ],
    volumeMounts: [{ name: 'tokens', mountPath: TOKENS, readOnly: true }],
    ports: [{ name: 'http1', containerPort: PORT, protocol: 'TCP' }],
    readinessProbe: { ...probe('ready'), periodSeconds: 2, failureThreshold: 1 },
    livenessProbe: { ...probe('live'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: {
      // Half a core for the process that listens; the limit has a whole one.
      requests: { cpu: `${1000 * threads + 500}m`, memory: memory.request, ...gpu },
      limits: { cpu: String(threads + 1), memory: memory.limit, ...gpu },
    },
    // Of the container: Knative refuses that of the pod.
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** Fields of a pod that say on which nodes it runs. The label is the one that NVIDIA's GPU operator gives to nodes. */
export function placement({ target }: Settings) {
  if (target === 'cpu') return {};
  return {
    nodeSelector: { 'nvidia.com/gpu.present': 'true' },
    tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
  };
}

/** Annotations by which Prometheus, as its Helm chart sets it up, finds the metrics. */
export const SCRAPED = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(PORT),
  'prometheus.io/path': '/metrics',
};
