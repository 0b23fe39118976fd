import { join } from 'node:path'

/** A mounted filesystem worth watching. */
export interface Mount {
  /** Where it is mounted. */
  mount: string
  /** What is mounted: `/dev/sda1`, `server:/export`, `tmpfs`. */
  device: string
  type: string
  /** Asking it can hang for as long as a server is away. */
  isRemote: boolean
}

const maxMountCount = 200

/** The kernel's views of itself, images that are always full, and autofs, where asking would mount. */
const ignoredTypes = new Set(
  (
    'autofs bdev binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs efivarfs erofs fusectl ' +
    'fuse.gvfsd-fuse fuse.lxcfs fuse.portal fuse.snapfuse hugetlbfs iso9660 mqueue nfsd nsfs proc pstore ramfs rpc_pipefs securityfs ' +
    'selinuxfs squashfs sysfs tracefs'
  ).split(' '),
)

const remoteTypes =
  /^(nfs|nfs4|cifs|smb3|smbfs|ncpfs|afs|ceph|9p|glusterfs|lustre|beegfs|ocfs2|gfs2|davfs|fuse\..*|fuse)$/

/** Mounts that a container engine makes for each container: the host's own filesystem again, or the container's business. */
const ofContainers =
  /^\/(var\/lib\/(docker|containers|containerd|kubelet|lxcfs)|run\/(docker|containerd|credentials|netns|user))\/./

/**
 * The filesystems in a text of /proc/self/mountinfo, in its order: those that someone can write to, each device once
 * (bind mounts show the same numbers again), mounts covered by a later one left out. Lines it cannot read are skipped.
 *
 * A filesystem that is read-only itself (the options behind the dash: AppImage, DVD, disk image) is full by nature. A
 * read-only mount of a writable filesystem, such as /nix/store, still fills up and stays.
 */
export function parseMounts(mountinfo: string): Mount[] {
  const byMountPoint = new Map<string, Mount & { deviceNumber: string }>()
  for (const line of mountinfo.split('\n')) {
    const [before, after] = split(line, ' - ')
    const [, , deviceNumber, , mount, options] = before.split(' ')
    const [type, device, superOptions] = after.split(' ')
    if (!deviceNumber || !mount || !options || !type || device === undefined) continue
    const path = unescaped(mount)
    byMountPoint.delete(path)
    const isReadOnlyMount = options.split(',').includes('ro')
    const isReadOnlyFilesystem = (superOptions ?? '').split(',').includes('ro')
    if (!isReadOnlyFilesystem && isWatched(path, type, isReadOnlyMount)) {
      byMountPoint.set(path, {
        mount: path,
        device: unescaped(device),
        type,
        isRemote: remoteTypes.test(type),
        deviceNumber,
      })
    }
  }
  const seen = new Set<string>()
  return [...byMountPoint.values()]
    .toSorted((a, b) => a.mount.length - b.mount.length)
    .filter(({ deviceNumber }) => !seen.has(deviceNumber) && seen.add(deviceNumber))
    .slice(0, maxMountCount)
    .map(({ mount, device, type, isRemote }) => ({ mount, device, type, isRemote }))
}

/**
 * Whether /proc/meminfo is covered by a file of its own, as lxcfs does it: the container's memory, not the machine's.
 * Other files of /proc may still be the machine's.
 */
export function isMeminfoVirtual(mountinfo: string, procRoot: string): boolean {
  const covered = new Set(['/proc/meminfo', join(procRoot, 'meminfo')])
  return mountinfo.split('\n').some((line) => covered.has(unescaped(line.split(' ')[4] ?? '')))
}

function isWatched(path: string, type: string, isReadOnlyMount: boolean): boolean {
  if (ignoredTypes.has(type) || ofContainers.test(path) || path.length > 400) return false
  if (type === 'overlay') return path === '/'
  if (type === 'tmpfs') return !isReadOnlyMount && !path.startsWith('/sys/')
  return true
}

function split(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator)
  return at < 0 ? ['', ''] : [line.slice(0, at), line.slice(at + separator.length)]
}

/** Blanks and backslashes in names are written as `\040`. */
const unescaped = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
