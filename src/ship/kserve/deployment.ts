import { container, placement, PORT, SCRAPED } from './container.ts';
import type { Settings } from './settings.ts';

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
          // The server answers what it has within 30 seconds of being told to stop.
          terminationGracePeriodSeconds: 45,
          ...placement(settings),
          containers: [container(settings, 'server', file)],
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
