import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CURVE = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' ')

/** A certificate with its key, both PEM, and the files with them. */
export interface Certificate {
  cert: string
  key: string
  certFile: string
  keyFile: string
}

/** Certificates that openssl makes in a folder of their own, which disposing of this removes. */
export class Certificates implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'orrery-certificates-'))

  /** A certificate that signs itself. @param names as in `subjectAltName`, such as `IP:127.0.0.1` */
  selfSigned(name: string, names = 'IP:127.0.0.1'): Certificate {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
    this.#openssl('req', '-x509', ...CURVE, '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`, ...files)
    return this.#read(name)
  }

  /** A certificate signed by a self-signed one. */
  signedBy({ certFile, keyFile }: Certificate, name: string, names = 'IP:127.0.0.1'): Certificate {
    const request = [...CURVE, '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`]
    this.#openssl('req', ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signed = ['-CA', certFile, '-CAkey', keyFile, '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy']
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`)
    return this.#read(name)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'ignore' })
  }

  #read(name: string): Certificate {
    const [certFile, keyFile] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)]
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
  }
}
