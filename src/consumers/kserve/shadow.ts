import { deployment, service } from './deployment.ts';
import type { Settings } from './settings.ts';

/**
 * The teacher beside the student: a Deployment of its own that serves the teacher under the student's name, and an HTTPRoute
 * (gateway.networking.k8s.io/v1) that copies a share of the requests to it. The gateway drops its answers: what one reads are the
 * teacher's metrics, and that it keeps up. `settings`: of the student, with threads and memory for the teacher.
 */
export function shadow(settings: Settings, percent: number) {
  const { name } = settings;
  const teacher = `${name}-teacher`;
  return [deployment(settings, teacher, 'teacher.onnx'), service(teacher), route(name, teacher, percent)] as const;
}

function route(name: string, teacher: string, percent: number) {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      parentRefs: [{ name: 'gateway' }],
      rules: [
        {
          filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: teacher, port: 80 }, percent } }],
          backendRefs: [{ name, port: 80 }],
        },
      ],
    },
  };
}
