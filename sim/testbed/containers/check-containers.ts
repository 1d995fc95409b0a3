import { type Availability, availabilityOf, lookFor, type Part } from '../readiness.ts';
import { connectDocker, type Docker } from './docker.ts';
import { faketimeImage, type ImageSetting, isImageHere, redisImage, remedyForImage, toxiproxyImage } from './images.ts';

/** Looks for the Docker daemon and the images. What is not here yet is pulled or built by the first run, not by this. */
export async function checkContainers(): Promise<Availability> {
  const found: Docker[] = [];
  const daemon = await lookFor('docker', 'all', async () => {
    const docker = await connectDocker();
    found.push(docker);
    const { serverVersion, host } = docker.client.info.containerRuntime;
    return { version: String(serverVersion), place: process.env['DOCKER_HOST'] ?? host };
  });
  const [docker] = found;
  if (docker === undefined) return availabilityOf([daemon]);
  const { engine } = docker;
  return availabilityOf([
    daemon,
    await imagePart(engine, 'redis image', redisImage),
    await imagePart(engine, 'toxiproxy image', toxiproxyImage),
    await imagePart(engine, 'image with libfaketime', faketimeImage),
  ]);
}

/** An image, or why it is not here; null stands for one that is built. What is not here may yet be pulled, unless its name is none. */
function imagePart(engine: Docker['engine'], name: string, find: () => ImageSetting | null): Promise<Part> {
  return lookFor(name, 'all', async () => {
    const setting = find();
    if (setting === null) return { version: 'is built upon the redis image when it is needed', place: null };
    const { image, variable } = setting;
    if (await isImageHere(engine, image)) return { version: image, place: null };
    return {
      problem: `the image ${image} is not here: a run has to pull it first`,
      remedy: `docker pull ${image}, or ${remedyForImage(variable)}`,
      blocks: 'unless-pulled',
    };
  });
}
