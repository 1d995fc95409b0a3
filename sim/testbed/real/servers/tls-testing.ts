import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What the title of a test says when it is skipped for want of a certificate; null if one can be made. */
export const whyNoCertificate: string | null =
  spawnSync('openssl', ['version']).status === 0 ? null : 'needs openssl: apt-get install openssl';

/** Makes a certificate that vouches for itself in the folder: `key.pem` and `certificate.pem`. */
export function makeCertificate(folder: string): { readonly key: string; readonly certificate: string } {
  const files = { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', files.key, '-out', files.certificate], {
    stdio: 'ignore',
  });
  return files;
}
