import { MOST_REPLICAS } from './inference-service.ts';
import type { Settings } from './settings.ts';

/** Replicas come at once and go slowly: loading a model takes longer than a burst of requests lasts. */
const BEHAVIOR = {
  scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
  scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
};

/**
 * KEDA's ScaledObject (keda.sh/v1alpha1) with two triggers, of which the one that asks for more replicas decides: requests that
 * wait, as many for each replica as a batch has; and the 95th percentile of the time that answers took, which says that replicas
 * are too few where the queue does not (other tenants of the machine, slower requests).
 */
export function scaledObject({ name, model, concurrency, p95Ms }: Settings, prometheus: string) {
  const trigger = (id: string, metricType: string, query: string, threshold: number) => ({
    type: 'prometheus',
    name: id,
    metricType,
    metadata: { serverAddress: prometheus, query, threshold: String(threshold), activationThreshold: '0' },
  });
  // Names of models have no character that PromQL would want escaped, see `checkedName`.
  const waiting = `sum(nv_inference_pending_request_count{model="${model}"})`;
  const rate = `rate(limbeck_serve_stage_seconds_bucket{model="${model}",stage="total"}[1m])`;
  // Without requests there is no percentile: NaN is below any threshold only if it is made a number.
  const p95 = `(histogram_quantile(0.95, sum by (le) (${rate})) >= 0) or vector(0)`;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicaCount: 1,
      maxReplicaCount: MOST_REPLICAS,
      pollingInterval: 15,
      cooldownPeriod: 300,
      fallback: { failureThreshold: 4, replicas: 2 },
      advanced: { horizontalPodAutoscalerConfig: { behavior: BEHAVIOR } },
      triggers: [
        trigger('queue', 'AverageValue', waiting, concurrency / 2),
        trigger('p95', 'Value', p95, p95Ms / 1000),
      ],
    },
  };
}

/** The alternative without Prometheus and KEDA (autoscaling/v2): one or the other, both would fight over the replicas. */
export function podAutoscaler({ name }: Settings) {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: MOST_REPLICAS,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
      ],
      behavior: BEHAVIOR,
    },
  };
}
