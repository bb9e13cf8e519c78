import { stringify } from 'yaml';
import { sha256 } from '../../base/bytes.ts';
import { shown, UserError } from '../../base/errors.ts';
import { usualText } from '../../folder/usual-answers.ts';
import type { ShippedModel, Target } from '../../ship/cluster/model.ts';
import type { Files } from '../../ship/cluster/write.ts';
import { deployment, service } from './deployment.ts';
import { dockerfile } from './dockerfile.ts';
import { inferenceService } from './inference-service.ts';
import { podAutoscaler, scaledObject } from './scalers.ts';
import { objectName, settingsOf } from './settings.ts';
import { shadow } from './shadow.ts';

export interface KserveOptions {
  readonly target: Target;
  /** Name of the image without its tag, which is a hash of the models: another model is another image. `UserError` for one that no registry takes. */
  readonly image?: string | undefined;
  /** The teacher, for the shadow: an ONNX file and what was measured of it. */
  readonly teacher?: Pick<ShippedModel, 'bytes' | 'curve'> | undefined;
  /** Version of Limbeck. */
  readonly limbeck: string;
  /** Address of Prometheus in the cluster. */
  readonly prometheus?: string | undefined;
}

const PROMETHEUS = 'http://prometheus-server.monitoring.svc:80';
const CANARY_PERCENT = 10;
const SHADOW_PERCENT = 1;

/** Name of an image as registries take it, maybe with the registry's address in front (github.com/distribution/reference, regexp.go). */
const IMAGE = /^([A-Za-z0-9.-]+(:\d+)?\/)?[a-z0-9]+(([._]|__|-+|\/)[a-z0-9]+)*$/;

/** Files that a cluster needs to serve a model: the image's Dockerfile and models, and manifests. */
export function kserveFiles(model: ShippedModel, options: KserveOptions): Files {
  const { target, teacher, limbeck, prometheus = PROMETHEUS } = options;
  if (options.image !== undefined && !IMAGE.test(options.image))
    throw new UserError(
      `--image: expected the name of an image in small letters, without a tag, received ${shown(options.image)}`,
      'For example registry.example/my-model; its tag will be a hash of the models.',
    );
  const hash = sha256(`${sha256(model.bytes)} ${teacher === undefined ? '' : sha256(teacher.bytes)}`).slice(0, 12);
  const image = `${options.image ?? objectName(model.name)}:${hash}`;
  const settings = settingsOf(model.name, { image, target, curve: model.curve });
  const teachers = teacher && settingsOf(model.name, { image, target, curve: teacher.curve });
  const manifests: Readonly<Record<string, readonly object[]>> = {
    'inference-service.yaml': [inferenceService(settings)],
    'canary.yaml': [inferenceService(settings, CANARY_PERCENT)],
    'deployment.yaml': [deployment(settings), service(settings.name)],
    'scaled-object.yaml': [scaledObject(settings, prometheus)],
    'hpa.yaml': [podAutoscaler(settings)],
    ...(teachers !== undefined && { 'shadow.yaml': shadow(teachers, SHADOW_PERCENT) }),
  };
  return new Map<string, Uint8Array | string>([
    ...Object.entries(manifests).map(([name, objects]) => [name, yaml(objects)] as const),
    ['Dockerfile', dockerfile(target, limbeck)],
    ['models/model.onnx', model.bytes],
    ...(model.usual === undefined ? [] : [['models/model.usual.json', usualText(model.bytes, model.usual)] as const]),
    ...(teacher === undefined ? [] : [['models/teacher.onnx', teacher.bytes] as const]),
  ]);
}

function yaml(objects: readonly object[]): string {
  // As readers of YAML 1.1 take it, to whom `on` is true; without anchors for objects that occur twice.
  const options = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const;
  return objects.map((one) => stringify(one, options)).join('---\n');
}
