// Command netpol enforces NetworkPolicies on this node: kube-router's policy controller, which writes iptables rules and
// ipsets, without its router and its service proxy. Its parts are reached by the node's kubelet credentials.
package main

import (
	"maps"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// kind's defaults.
const serviceRange = "10.96.0.0/16"

// A sync writes all rules of the node and runs some twenty programs for it. The controller's own handlers ask for one per
// event: while pods come and go on many nodes of one computer, that took a quarter of it.
const syncPause = 2 * time.Second

func must[T any](value T, err error) T {
	if err != nil {
		klog.Fatal(err) // systemd starts it again
	}
	return value
}

// podMatters tells whether rules may depend on what changed in a pod.
func podMatters(before, after any) bool {
	b, a := before.(*v1.Pod), after.(*v1.Pod)
	return b.Status.Phase != a.Status.Phase || b.Status.PodIP != a.Status.PodIP || !maps.Equal(b.Labels, a.Labels)
}

func always(_, _ any) bool { return true }

// handler remembers in changed that something did, once until that is taken out.
func handler(changed chan<- struct{}, matters func(before, after any) bool) cache.ResourceEventHandler {
	note := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { note() },
		DeleteFunc: func(any) { note() },
		UpdateFunc: func(before, after any) {
			if matters(before, after) {
				note()
			}
		},
	}
}

func main() {
	config := options.NewKubeRouterConfig()
	config.ClusterIPCIDRs = []string{serviceRange}
	config.EnableIPv4 = true // what its flags would have set
	config.IPTablesSyncPeriod = 30 * time.Second
	client := kubernetes.NewForConfigOrDie(must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))))

	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)

	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	must(iptables, err)
	controller := must(netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &sync.Mutex{}, iptables, ipsets))
	changed := make(chan struct{}, 1)
	must(pods.AddEventHandler(handler(changed, podMatters)))
	must(namespaces.AddEventHandler(handler(changed, always)))
	must(policies.AddEventHandler(handler(changed, always)))
	go func() {
		for range changed {
			controller.RequestFullSync()
			time.Sleep(syncPause)
		}
	}()

	heartbeats := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range heartbeats { // nobody asks for its health
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	go controller.Run(heartbeats, stop, &running)

	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
	close(stop)
	running.Wait()
}
