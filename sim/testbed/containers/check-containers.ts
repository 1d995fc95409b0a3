import { type Availability, availabilityOf, lookFor, type Part } from '../readiness.ts';
import { connectDocker, type Docker } from './docker.ts';
import { faketimeImage, type ImageSetting, isImageHere, redisImage, toxiproxyImage } from './images.ts';

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
  const imagePart = async (name: string, { image, variable }: ImageSetting): Promise<Part> => {
    if (await isImageHere(engine, image)) return { name, version: image, place: null };
    const remedy = `docker pull ${image}, or name another image in ${variable}`;
    return { name, problem: `the image ${image} is not here yet: the first run pulls it`, remedy, blocks: 'nothing' };
  };
  const faketime = faketimeImage();
  return availabilityOf([
    daemon,
    await imagePart('redis image', redisImage()),
    await imagePart('toxiproxy image', toxiproxyImage()),
    faketime === null
      ? { name: 'image with libfaketime', version: 'is built upon the redis image when it is needed', place: null }
      : await imagePart('image with libfaketime', faketime),
  ]);
}
