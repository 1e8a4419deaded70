import type { CommandLine } from '../arguments.ts';

const text = `Quartet: four services under one operator, on this computer.

  ./quartet up            start everything and wait until every resource is Ready
      --nodes N           nodes, 3 by default; a fourth and more share the three zones
      --nats 1|3          servers of NATS; three live on the first three nodes and die with them
      --no-samples        without the resources in crds/samples
      --address A         publish services on this loopback address
  ./quartet down          stop everything; the state stays
  ./quartet status        nodes, resources, pods, programs, memory and CPU
  ./quartet kill node X   power cut at a node      ./quartet revive node X
  ./quartet kill pod X    SIGKILL to a pod's processes
  ./quartet logs X        of a pod, or of supervisor, kube-apiserver, nats-0, …   (-f follows, --tail N)
  ./quartet split X       split a database shard while it serves          (./quartet split --help)
  ./quartet merge X --into Y   merge a shard into its lower neighbour     (./quartet merge --help)
  ./quartet move dbshard/X POD    move a replica to another node          (./quartet move --help)
  ./quartet describe dbshard X   all about a shard, and what to do        (./quartet describe --help)
  ./quartet backup DB --to PLACE  back a database up, or go on with it    (./quartet backup --help)
  ./quartet restore --from PLACE --to DB   into a new database            (./quartet restore --help)
  ./quartet kubectl …     kubectl with the right kubeconfig
  ./quartet tools         build Kubernetes, etcd, helm and nats-server (up does it too)

  --state DIR (or QUARTET_STATE) with any command: another instance, with its own addresses`;

const split = `./quartet split SHARD   split a DBShard online: a new one takes over its upper keys

      --at KEY            first key of the new shard; left out: the key in the middle
      --name NEW          name of the new shard; left out: SHARD-KEY, or SHARD-upper
      --timeout T         how long to wait until it serves its keys, 10m by default; the split goes on after that
  -n, --namespace NS      default by default
      --kubeconfig FILE   on this cluster; left out: on this computer

The new shard gets database, replicas, storage and failover of SHARD. It copies all keys, follows the log, and then takes
over: clients see at most a request that takes a moment longer. Ctrl-C stops the watching, not the split.
To give it up before the keys are handed over, delete the new shard.`;

const merge = `./quartet merge SHARD   merge a DBShard into its lower neighbour online, and delete it

      --into LOWER        the shard whose range ends where that of SHARD begins; left out: that is found
      --keep              do not delete SHARD in the end; it has no keys any more
      --cancel            take a merge back instead: possible until the keys are handed over
      --timeout T         how long to wait, 10m by default; the merge goes on after that
  -n, --namespace NS      default by default
      --kubeconfig FILE   on this cluster; left out: on this computer

LOWER copies all keys of SHARD, follows its log, and then takes over: clients see at most a request that takes a moment
longer. SHARD is deleted when no transaction can ask it any more. Ctrl-C stops the watching, not the merge: the same command
goes on with it.`;

const move = `./quartet move dbshard/NAME POD   move a replica of a shard to another node while it serves

      --to NODE           left out: the operator chooses
      --cancel            give the move of dbshard/NAME up instead: the new replica goes
      --timeout T         how long to wait, 1h by default; the move goes on after that
  -n, --namespace NS      default by default
      --kubeconfig FILE   on this cluster; left out: on this computer

A new replica is built on the node from the others; when it has caught up the old one goes, after another one leads if it
is the primary. searchshard/NAME is fine, too. Ctrl-C stops the watching, not the move: the same command goes on with it.
The same without this command: kubectl annotate dbshard NAME 'quartet.dev/move=POD to NODE'. Taking the annotation away
gives the move up.`;

const describe = `./quartet describe dbshard NAME   all about a shard, for whoever is on call

  -n, --namespace NS      default by default
      --kubeconfig FILE   of this cluster; left out: of this computer

Range, members and how far behind they are, split, conditions, events, and what to do about each problem.
Ages and positions are live: an operator is asked. Other kinds: what kubectl describe says.`;

const backup = `./quartet backup DATABASE --to PLACE   back a database up while it serves

      --to PLACE          a directory, or s3://bucket/prefix
      --endpoint URL      of S3, when it is not Amazon's; AWS_ENDPOINT_URL stands in for it
      --keep N            so many of the newest backups stay; left out: all
      --renew-after T     a backup that is so old is not gone on with, a new one is made: 23h
      --deadline T        given up when it is not done by then: 1h
      --namespace NS      default by default

A second backup to the same place goes on with the log of the first, so that every second between them can be restored.
A new one is made when the log has grown longer than the database, and after a split.
S3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION.`;

const restore = `./quartet restore --from PLACE --to NEWDATABASE   restore a backup into a new database
./quartet restore --from PLACE --check            read all of a backup, and check it

      --from PLACE        a directory, or s3://bucket/prefix
      --endpoint URL      of S3, when it is not Amazon's
      --database NAME     that was backed up, when the place holds several; NAMESPACE/NAME is fine, too
      --at TIME           as it was at the end of this second, 2026-11-24T12:00:05Z; left out: at the end of the backup
      --namespace NS      of the new database, default by default
      --work DIR          room for the whole database; left out: the system's directory for temporary files

Make the new database first: DBShards with spec.database NEWDATABASE that hold all keys and are empty. What is restored
is compared with the backup by hash in the end. A restore that was interrupted is run again. Keys whose time to live has
run out by now stay away.`;

const pages: Readonly<Record<string, string>> = { split, merge, move, describe, backup, restore };

/** What there is; or about one command. */
export const help = ({ words }: CommandLine): number => {
  console.log(pages[words[0] ?? ''] ?? text);
  return 0;
};
