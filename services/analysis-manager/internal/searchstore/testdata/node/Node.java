import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * Runs one node of OpenSearch on 127.0.0.1 until its input ends. In this folder:
 *
 * <pre>
 * mvn -q dependency:copy-dependencies -DoutputDirectory=/tmp/search-node/lib
 * java -Xmx600m -cp '/tmp/search-node/lib/*' Node.java /tmp/search-node/data 19200
 * GATEHOUSE_TEST_SEARCH=http://127.0.0.1:19200 go test ./analysis-manager/internal/searchstore
 * </pre>
 */
public class Node {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        try {
            runner.onBuild((number, settings) -> settings.put("http.port", args[1]))
                  .build(OpenSearchRunner.newConfigs().basePath(args[0]).numOfNode(1).useLogger());
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
