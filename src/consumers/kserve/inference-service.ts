import { container, placement, SCRAPED, volumes } from './container.ts';
import type { Settings } from './settings.ts';

export const MOST_REPLICAS = 10;

/**
 * KServe's InferenceService (serving.kserve.io/v1beta1). Knative counts the requests in each replica and adds replicas where
 * there are more than `scaleTarget`. With `canaryPercent` the revision that it makes gets that share of the traffic, and the one
 * before it keeps the rest.
 */
export function inferenceService(settings: Settings, canaryPercent?: number) {
  const { name, concurrency } = settings;
  return {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name, annotations: SCRAPED },
    spec: {
      predictor: {
        ...(canaryPercent !== undefined && { canaryTrafficPercent: canaryPercent }),
        minReplicas: 1,
        maxReplicas: MOST_REPLICAS,
        scaleMetric: 'concurrency',
        scaleTarget: concurrency,
        ...placement(settings),
        containers: [container(settings, 'kserve-container', 'model.onnx')],
        volumes: volumes(settings),
      },
    },
  };
}
