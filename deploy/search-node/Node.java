import java.util.UUID;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * Runs one node of OpenSearch on 127.0.0.1 until its input ends, which it also
 * does when whoever started it is killed: <code>java -cp 'LIB/*' Node.java PORT
 * DATA</code>, with the jars that the script fetch has put into LIB. Tests start it
 * by testkit.Search. No two nodes ever are of one cluster.
 */
public class Node {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        try {
            String cluster = "gatehouse-" + UUID.randomUUID();
            runner.onBuild((number, settings) -> {
                settings.put("http.port", args[0]);
                settings.put("http.host", "127.0.0.1");
                settings.put("transport.host", "127.0.0.1");
                settings.put("transport.port", "0");
                settings.putList("discovery.seed_hosts");
                settings.putList("cluster.initial_cluster_manager_nodes", "Node 1");
                settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
            }).build(OpenSearchRunner.newConfigs().clusterName(cluster).basePath(args[1]).numOfNode(1).useLogger());
        } catch (Throwable t) {
            t.printStackTrace();
            System.exit(1);
        }
        while (System.in.read() >= 0) {
            // until the end of input
        }
        runner.close();
        runner.clean();
        System.exit(0);
    }
}
