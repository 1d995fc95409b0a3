import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Dockerode from 'dockerode';
import { ImageName } from 'testcontainers';
import { getAuthConfig } from 'testcontainers/build/container-runtime/index.js';
import { RunLostError, TestbedUnavailableError } from '../testbed-error.ts';
import { statusOf } from './docker.ts';

/** An image that this backend uses, and the variable that names another one. */
export interface ImageSetting {
  readonly variable: string;
  readonly image: string;
}

/** A layer of an image is not even unpacked for so long. */
const SILENT_FOR_MS = 600_000;
const FAKETIME_IMAGE_FILES = ['Dockerfile', 'server-with-faketime'] as const;
const FAKETIME_IMAGE_FOLDER = fileURLToPath(new URL('faketime-image', import.meta.url));
/** Which file the server's clock follows, as libfaketime is told by the image. */
const CLOCK_FILE_VARIABLE = 'FAKETIME_TIMESTAMP_FILE';

/** https://pkg.go.dev/github.com/distribution/reference has the grammar: registry, path, tag and digest. */
const IMAGE_NAME =
  /^(?:(?:[A-Za-z\d][A-Za-z\d.-]*|\[[\da-fA-F:]+\])(?::\d+)?\/)?[a-z\d]+(?:(?:\.|__?|-+)[a-z\d]+)*(?:\/[a-z\d]+(?:(?:\.|__?|-+)[a-z\d]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[\da-f]{64})?$/;

/** The image of the nodes. Throws a TestbedUnavailableError if what the variable names can be no image, and so do the others. */
export function redisImage(): ImageSetting {
  return setting('DISTRILOCK_REDIS_IMAGE', 'redis:7.4');
}

export function toxiproxyImage(): ImageSetting {
  return setting('DISTRILOCK_TOXIPROXY_IMAGE', 'ghcr.io/shopify/toxiproxy:2.12.0');
}

/** An image of which the clock can be moved; null if it is to be built upon the Redis image. */
export function faketimeImage(): ImageSetting | null {
  const named = setting('DISTRILOCK_FAKETIME_IMAGE', '');
  return named.image === '' ? null : named;
}

function setting(variable: string, fallback: string): ImageSetting {
  const named = process.env[variable];
  const name = named === undefined || named === '' ? fallback : named;
  if (name !== '' && !IMAGE_NAME.test(name)) {
    throw new TestbedUnavailableError(
      `${variable} names ${JSON.stringify(name)}, and no image can be called so`,
      `unset ${variable}, or name an image there: small letters, digits and . _ - /, then a colon and a tag, as in redis:7.4 or registry.example:5000/team/valkey:8.1`,
    );
  }
  return { variable, image: name === '' ? '' : ImageName.fromString(name).string };
}

/** What to do about an image that is not here, and that perhaps cannot be pulled. */
export function remedyForImage(variable: string): string {
  return `name another image in ${variable}, or where no registry can be reached make local ones: eval "$(.ci/import-images)"`;
}

export async function isImageHere(engine: Dockerode, image: string): Promise<boolean> {
  return (await inspectImage(engine, image)) !== null;
}

async function inspectImage(engine: Dockerode, image: string): Promise<Dockerode.ImageInspectInfo | null> {
  try {
    return await engine.getImage(image).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Who wants an image: told what takes long, and asked whether it is wanted still. */
export interface ImageUser {
  readonly onProgress: (step: string) => void;
  readonly signal: AbortSignal;
}

/** Pulls the image if it is not here. Rejects with a TestbedUnavailableError if it cannot be had; with the signal's reason as soon as that is aborted. */
export async function provideImage(
  engine: Dockerode,
  { image, variable }: ImageSetting,
  { onProgress, signal }: ImageUser,
): Promise<void> {
  if (await isImageHere(engine, image)) return;
  onProgress(`pulling the image ${image}`);
  let cause: unknown;
  try {
    await pullImage(engine, image, signal);
  } catch (error) {
    cause = error;
  }
  signal.throwIfAborted();
  // A pull that breaks off ends without an error.
  if (await isImageHere(engine, image)) return;
  throw new TestbedUnavailableError(
    `the image ${image} is not here, and cannot be pulled${cause instanceof Error ? `: ${cause.message.trim()}` : ''}`,
    remedyForImage(variable),
    { cause },
  );
}

/** Pulls it as whoever the user is logged in as to the registry. */
async function pullImage(engine: Dockerode, image: string, signal: AbortSignal): Promise<void> {
  const { IndexServerAddress } = (await engine.info()) as { readonly IndexServerAddress: string };
  const registry = ImageName.fromString(image).registry ?? IndexServerAddress;
  const authconfig = await getAuthConfig(registry);
  const stream = await engine.pull(image, { authconfig, abortSignal: signal });
  await streamEnd(engine, stream);
}

/** Resolves once the daemon has told all of what it does. Rejects with what it ends with, if that is an error, and if it is silent for too long. */
function streamEnd(
  engine: Dockerode,
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void = () => undefined,
): Promise<void> {
  const answer = stream as NodeJS.ReadableStream & Pick<IncomingMessage, 'setTimeout' | 'destroy'>;
  answer.setTimeout(SILENT_FOR_MS, () => {
    answer.destroy(new RunLostError(`Docker has told nothing of its progress for ${SILENT_FOR_MS / 60_000} minutes`));
  });
  return new Promise((resolve, reject) => {
    engine.modem.followProgress(
      stream,
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
      ({ stream: text }: { readonly stream?: string }) => {
        if (text !== undefined) onText(text);
      },
    );
  });
}

/** Builds an image of which the clock can be moved upon `base`, which is here; resolves to its name, which is the same as long as what it is made of is. Ends as provideImage does. */
export async function buildFaketimeImage(
  engine: Dockerode,
  base: string,
  { onProgress, signal }: ImageUser,
): Promise<string> {
  const { Id: baseId } = await engine.getImage(base).inspect();
  const hash = createHash('sha256').update(baseId);
  for (const file of FAKETIME_IMAGE_FILES) hash.update(readFileSync(join(FAKETIME_IMAGE_FOLDER, file)));
  const image = `distrilock/faketime:${hash.digest('hex').slice(0, 12)}`;
  if (await isImageHere(engine, image)) return image;
  onProgress(`building an image of ${base} with libfaketime`);
  const printed: string[] = [];
  try {
    const stream = await engine.buildImage(
      { context: FAKETIME_IMAGE_FOLDER, src: [...FAKETIME_IMAGE_FILES] },
      { t: image, buildargs: { REDIS_IMAGE: base }, forcerm: true, abortSignal: signal },
    );
    await streamEnd(engine, stream, (text) => printed.push(text));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RunLostError) throw error;
    throw buildError(base, error as Error, printed);
  }
  return image;
}

function buildError(base: string, cause: Error, printed: readonly string[]): TestbedUnavailableError {
  const last = printed.join('').trimEnd().split('\n').slice(-5).join('\n  ');
  return new TestbedUnavailableError(
    `no image with libfaketime can be built upon ${base}: ${cause.message}\n  ${last}`,
    'use an image of Debian, with access to its packages, or name a ready image in DISTRILOCK_FAKETIME_IMAGE',
    { cause },
  );
}

/** The file that the clock of the image's server follows. Rejects with a TestbedUnavailableError if the image says none. */
export async function clockFileOf(engine: Dockerode, image: string): Promise<string> {
  const { Config } = await engine.getImage(image).inspect();
  const prefix = `${CLOCK_FILE_VARIABLE}=`;
  const path = Config.Env.find((entry) => entry.startsWith(prefix))?.slice(prefix.length);
  if (path?.startsWith('/') === true) return path;
  throw new TestbedUnavailableError(
    `the image ${image} does not say in ${CLOCK_FILE_VARIABLE} which file its server's clock follows`,
    'see sim/testbed/containers/faketime-image/Dockerfile, or unset DISTRILOCK_FAKETIME_IMAGE to have one built',
  );
}
