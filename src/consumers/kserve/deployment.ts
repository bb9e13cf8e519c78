import { container, placement, PORT, SCRAPED, volumes } from './container.ts';
import type { Settings } from './settings.ts';

/** Clients are still sent to a pod for a moment after it is told to stop. Knative takes no such key, and waits by itself. */
const STOPPING = { preStop: { exec: { command: ['sleep', '5'] } } };

/** The same without KServe (apps/v1): what the ScaledObject and the HorizontalPodAutoscaler scale. */
export function deployment(settings: Settings, name = settings.name, file = 'model.onnx') {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    // `replicas` is left to the scaler.
    spec: {
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels, annotations: SCRAPED },
        spec: {
          // Those 5 seconds, and 30 in which the server answers what it has.
          terminationGracePeriodSeconds: 45,
          ...placement(settings),
          containers: [{ ...container(settings, 'server', file), lifecycle: STOPPING }],
          volumes: volumes(settings),
        },
      },
    },
  };
}

export function service(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: PORT, protocol: 'TCP' }] },
  };
}
